import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { calling, main, weather } from "./servers.mjs";

const client = new Anthropic({ baseURL: main.url, apiKey: "none", maxRetries: 0 });
const question = { model: main.model, max_tokens: 24, temperature: 0, system: "You know animals.", messages: [{ role: "user", content: "What do bees make?" }] };

test("chat", async () => {
  const answer = await client.messages.create(question);

  assert.equal(answer.role, "assistant");
  assert.equal(answer.content[0].type, "text");
  assert.ok(answer.content[0].text.length > 0);
  assert.equal(answer.stop_reason, "end_turn");
  assert.ok(answer.usage.output_tokens > 0);
});

test("stream", async () => {
  const whole = await client.messages.create(question);
  const stream = client.messages.stream(question);
  let text = "";
  stream.on("text", part => { text += part; });
  const message = await stream.finalMessage();

  assert.equal(text, whole.content[0].text);
  assert.deepEqual(message.content.map(block => block.type), ["text"]);
  assert.equal(message.stop_reason, whole.stop_reason);
  assert.equal(message.usage.output_tokens, whole.usage.output_tokens);
});

test("stream that is left", async () => {
  const stream = await client.messages.create({ ...question, max_tokens: 400, stream: true });
  for await (const event of stream) {
    assert.equal(event.type, "message_start");
    break;
  }

  assert.ok(stream.controller.signal.aborted);
});

test("stop sequences", async () => {
  const whole = await client.messages.create(question);
  const stop = whole.content[0].text.split(" ")[1];
  const answer = await client.messages.create({ ...question, stop_sequences: [stop] });

  assert.equal(answer.stop_reason, "stop_sequence");
  assert.equal(answer.stop_sequence, stop);
});

test("tools", async () => {
  const client = new Anthropic({ baseURL: calling.url, apiKey: "none", maxRetries: 0 });
  const request = {
    model: calling.model,
    max_tokens: 1000,
    messages: [{ role: "user", content: "What is the weather?" }],
    tools: [{ name: "get_weather", description: "Tells the weather", input_schema: weather }],
    tool_choice: { type: "any", disable_parallel_tool_use: true },
  };
  const answer = await client.messages.create(request);
  const call = answer.content.find(block => block.type === "tool_use");
  const streamed = await client.messages.stream(request).finalMessage();

  assert.equal(answer.stop_reason, "tool_use");
  assert.equal(call.name, "get_weather");
  assert.ok(["Oslo", "Rome"].includes(call.input.city));
  assert.deepEqual(streamed.content.find(block => block.type === "tool_use").input, call.input);
  const next = await client.messages.create({
    ...request,
    max_tokens: 2,
    tool_choice: { type: "none" },
    messages: [
      ...request.messages,
      { role: "assistant", content: answer.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "sunny" }] },
    ],
  });
  assert.ok(next.usage.output_tokens > 0);
});

test("counted tokens", async () => {
  const { max_tokens, temperature, ...counted } = question;
  const { input_tokens } = await client.messages.countTokens(counted);
  const { usage } = await client.messages.create(question);

  assert.equal(input_tokens, usage.input_tokens + usage.cache_read_input_tokens);
});

test("errors", async () => {
  await assert.rejects(client.messages.create({ ...question, model: "nothing" }), error =>
    error instanceof Anthropic.NotFoundError && error.error.error.type === "not_found_error" && error.message.includes("nothing"));
  await assert.rejects(client.messages.create({ ...question, max_tokens: 0 }), error =>
    error instanceof Anthropic.BadRequestError && error.error.error.type === "invalid_request_error");
});
