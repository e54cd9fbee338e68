import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { calling, main, weather } from "./servers.mjs";

const client = new OpenAI({ baseURL: `${main.url}/v1`, apiKey: "none", maxRetries: 0 });
const question = { model: main.model, messages: [{ role: "user", content: "What do bees make?" }], temperature: 0, max_tokens: 24 };

test("chat", async () => {
  const answer = await client.chat.completions.create(question);

  assert.equal(answer.model, main.model);
  assert.ok(answer.choices[0].message.content.length > 0);
  assert.equal(answer.choices[0].finish_reason, "stop");
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

test("stream", async () => {
  const whole = await client.chat.completions.create(question);
  const stream = await client.chat.completions.create({ ...question, stream: true, stream_options: { include_usage: true } });
  let text = "";
  let usage = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? "";
    usage = chunk.usage ?? usage;
  }

  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
});

test("stream that is left", async () => {
  const stream = await client.chat.completions.create({ ...question, max_tokens: 400, stream: true });
  for await (const chunk of stream) {
    assert.ok(chunk.id);
    break;
  }

  assert.ok(stream.controller.signal.aborted);
});

test("tools", async () => {
  const client = new OpenAI({ baseURL: `${calling.url}/v1`, apiKey: "none", maxRetries: 0 });
  const request = {
    model: calling.model,
    messages: [{ role: "user", content: "What is the weather?" }],
    tools: [{ type: "function", function: { name: "get_weather", description: "Tells the weather", parameters: weather } }],
    tool_choice: { type: "function", function: { name: "get_weather" } },
    parallel_tool_calls: false,
    max_tokens: 1000,
  };
  const answer = await client.chat.completions.create(request);
  const call = answer.choices[0].message.tool_calls[0];

  assert.equal(answer.choices[0].finish_reason, "tool_calls");
  assert.equal(call.function.name, "get_weather");
  assert.ok(["Oslo", "Rome"].includes(JSON.parse(call.function.arguments).city));
  const next = await client.chat.completions.create({
    ...request,
    tool_choice: "none",
    max_tokens: 2,
    messages: [...request.messages, answer.choices[0].message, { role: "tool", tool_call_id: call.id, content: "sunny" }],
  });
  assert.ok(next.usage.completion_tokens > 0);
});

test("schema", async () => {
  const schema = { type: "object", properties: { animal: { type: "string", enum: ["bee", "cow"] } }, required: ["animal"], additionalProperties: false };
  const answer = await client.chat.completions.create({
    ...question, max_tokens: 200, response_format: { type: "json_schema", json_schema: { name: "animal", strict: true, schema } },
  });

  assert.ok(["bee", "cow"].includes(JSON.parse(answer.choices[0].message.content).animal));
});

test("responses", async () => {
  const answer = await client.responses.create({ model: main.model, input: "What do bees make?", temperature: 0, max_output_tokens: 24 });
  const chat = await client.chat.completions.create(question);

  assert.equal(answer.output_text, chat.choices[0].message.content);
});

test("embeddings and models", async () => {
  const answer = await client.embeddings.create({ model: main.model, input: ["a bee", "a fox"] });
  const models = await client.models.list();

  assert.equal(answer.data.length, 2);
  assert.equal(answer.data[0].embedding.length, 192);
  assert.ok(models.data.some(model => model.id === main.model));
});

test("errors", async () => {
  await assert.rejects(client.chat.completions.create({ ...question, model: "nothing" }), error =>
    error instanceof OpenAI.NotFoundError && error.code === "model_not_found" && error.message.includes("nothing"));
  await assert.rejects(client.chat.completions.create({ ...question, temperature: "warm" }), error =>
    error instanceof OpenAI.BadRequestError && error.param === "temperature");
});
