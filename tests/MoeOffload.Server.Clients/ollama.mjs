import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";
import { calling, main, weather } from "./servers.mjs";

const client = new Ollama({ host: main.url });
const question = { model: main.model, messages: [{ role: "user", content: "What do bees make?" }], options: { temperature: 0, num_predict: 24 } };

test("chat", async () => {
  const answer = await client.chat(question);

  assert.equal(answer.message.role, "assistant");
  assert.ok(answer.message.content.length > 0);
  assert.ok(answer.done);
  assert.equal(answer.done_reason, "stop");
  assert.ok(answer.eval_count > 0 && answer.eval_duration > 0 && answer.prompt_eval_count > 0);
});

test("stream", async () => {
  const whole = await client.chat(question);
  let text = "";
  let last = null;
  for await (const part of await client.chat({ ...question, stream: true })) {
    text += part.message.content;
    last = part;
  }

  assert.equal(text, whole.message.content);
  assert.ok(last.done);
});

test("stream that is left", async () => {
  const stream = await client.chat({ ...question, stream: true, options: { num_predict: 400, ignore_eos: true } });
  await assert.rejects(async () => {
    for await (const part of stream) {
      assert.equal(part.done, false);
      client.abort();
    }
  }, { name: "AbortError" });
});

test("generate", async () => {
  const answer = await client.generate({ model: main.model, prompt: "What do bees make?", options: question.options });
  const chat = await client.chat(question);
  let text = "";
  for await (const part of await client.generate({ model: main.model, prompt: "Bees make", raw: true, stream: true, options: question.options })) text += part.response;

  assert.equal(answer.response, chat.message.content);
  assert.ok(text.length > 0);
});

test("tools", async () => {
  const client = new Ollama({ host: calling.url });
  const request = {
    model: calling.model,
    messages: [{ role: "user", content: "What is the weather?" }],
    tools: [{ type: "function", function: { name: "get_weather", description: "Tells the weather", parameters: weather } }],
    options: { num_predict: 1000 },
  };
  const answer = await client.chat(request);
  const call = answer.message.tool_calls[0];

  assert.equal(call.function.name, "get_weather");
  assert.ok(["Oslo", "Rome"].includes(call.function.arguments.city));
  const next = await client.chat({
    ...request, messages: [...request.messages, answer.message, { role: "tool", tool_name: "get_weather", content: "sunny" }], options: { num_predict: 2 },
  });
  assert.ok(next.done);
});

test("schema", async () => {
  const format = { type: "object", properties: { animal: { type: "string", enum: ["bee", "cow"] } }, required: ["animal"] };
  const answer = await client.chat({ ...question, format, options: { temperature: 0, num_predict: 200 } });

  assert.ok(["bee", "cow"].includes(JSON.parse(answer.message.content).animal));
});

test("embeddings", async () => {
  const answer = await client.embed({ model: main.model, input: ["a bee", "a fox"] });

  assert.equal(answer.embeddings.length, 2);
  assert.equal(answer.embeddings[0].length, 192);
});

test("models", async () => {
  const listed = await client.list();
  const shown = await client.show({ model: main.model });
  const loaded = await client.ps();
  const { version } = await client.version();

  assert.equal(listed.models[0].name, main.model);
  assert.equal(shown.details.format, "gguf");
  assert.equal(shown.model_info["qwen3moe.expert_count"], 16);
  assert.equal(loaded.models[0].name, main.model);
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

test("errors", async () => {
  await assert.rejects(client.chat({ ...question, model: "nothing" }), error =>
    error.name === "ResponseError" && error.status_code === 404 && error.message.includes("nothing"));
  await assert.rejects(client.chat({ ...question, options: { temperature: "warm" } }), error => error.status_code === 400);
});
