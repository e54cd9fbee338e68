import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { HumanMessage, SystemMessage, ToolMessage } from "@langchain/core/messages";
import { tool as langChainTool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, run, setTracingDisabled, tool as agentTool } from "@openai/agents";
import { generateText, Output, streamText, tool } from "ai";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { calling, main } from "./servers.mjs";

const Animal = z.object({ animal: z.enum(["bee", "cow"]), legs: z.number().int().min(2).max(6) });
const City = z.object({ city: z.enum(["Oslo", "Rome"]) });
const question = "What do bees make?";

for (const [name, provider] of [
  ["openai-compatible", server => createOpenAICompatible({ name: "local", baseURL: `${server.url}/v1`, apiKey: "none", supportsStructuredOutputs: true }).chatModel(server.model)],
  ["openai", server => createOpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" }).responses(server.model)],
]) {
  test(`AI SDK, ${name}`, async () => {
    const settings = { model: provider(main), prompt: question, temperature: 0, maxOutputTokens: 24, maxRetries: 0 };
    const whole = await generateText(settings);
    let text = "";
    for await (const part of streamText(settings).textStream) text += part;

    assert.ok(whole.text.length > 0);
    assert.equal(text, whole.text);
    assert.ok(whole.usage.outputTokens > 0);

    const { output } = await generateText({ ...settings, maxOutputTokens: 200, output: Output.object({ schema: Animal }) });
    assert.ok(output.legs >= 2 && output.legs <= 6);

    const called = await generateText({
      model: provider(calling),
      prompt: "How is the weather?",
      maxOutputTokens: 1000,
      maxRetries: 0,
      toolChoice: "required",
      tools: { get_weather: tool({ description: "Tells the weather", inputSchema: City }) },
    });
    assert.ok(["Oslo", "Rome"].includes(called.toolCalls[0].input.city));
  });
}

test("LangChain", async () => {
  const options = { apiKey: "none", maxRetries: 0, temperature: 0, maxTokens: 24 };
  const chat = new ChatOpenAI({ ...options, model: main.model, configuration: { baseURL: `${main.url}/v1` } });
  const messages = [new SystemMessage("You know animals."), new HumanMessage(question)];
  const whole = await chat.invoke(messages);
  let text = "";
  for await (const chunk of await chat.stream(messages)) text += chunk.content;

  assert.ok(whole.content.length > 0);
  assert.equal(text, whole.content);
  assert.ok(whole.usage_metadata.output_tokens > 0);

  const structured = new ChatOpenAI({ ...options, maxTokens: 200, model: main.model, configuration: { baseURL: `${main.url}/v1` } })
    .withStructuredOutput(Animal, { method: "jsonSchema", strict: true });
  assert.ok(["bee", "cow"].includes((await structured.invoke(messages)).animal));

  const weather = langChainTool(({ city }) => `sunny in ${city}`, { name: "get_weather", description: "Tells the weather", schema: City });
  const caller = new ChatOpenAI({ ...options, temperature: undefined, maxTokens: 1000, model: calling.model, configuration: { baseURL: `${calling.url}/v1` } });
  const asked = [new HumanMessage("How is the weather?")];
  const answer = await caller.bindTools([weather], { tool_choice: "required", parallel_tool_calls: false }).invoke(asked);
  assert.ok(["Oslo", "Rome"].includes(answer.tool_calls[0].args.city));
  const next = await caller.bindTools([weather], { tool_choice: "none" }).invoke([...asked, answer, new ToolMessage({ content: "sunny", tool_call_id: answer.tool_calls[0].id })]);
  assert.ok(next.usage_metadata.output_tokens > 0);

  const embeddings = new OpenAIEmbeddings({ apiKey: "none", model: main.model, configuration: { baseURL: `${main.url}/v1` }, maxRetries: 0 });
  assert.equal((await embeddings.embedDocuments(["a bee", "a fox"])).length, 2);
});

for (const [name, Model] of [["chat", OpenAIChatCompletionsModel], ["responses", OpenAIResponsesModel]]) {
  test(`OpenAI Agents, ${name}`, async () => {
    setTracingDisabled(true);
    const model = server => new Model(new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 }), server.model);
    const agent = new Agent({ name: "Bees", instructions: "You know animals.", model: model(main), modelSettings: { temperature: 0, maxTokens: 24 } });
    const whole = await run(agent, question);
    const stream = await run(agent, question, { stream: true });
    let text = "";
    for await (const part of stream.toTextStream()) text += part;

    assert.ok(whole.finalOutput.length > 0);
    assert.equal(text, whole.finalOutput);

    const weather = agentTool({ name: "get_weather", description: "Tells the weather", parameters: City, execute: ({ city }) => `sunny in ${city}` });
    const caller = new Agent({
      name: "Weather",
      instructions: "You know the weather.",
      model: model(calling),
      tools: [weather],
      modelSettings: { toolChoice: "required", parallelToolCalls: false, maxTokens: 1000 },
      toolUseBehavior: "stop_on_first_tool",
    });
    assert.match((await run(caller, "How is the weather?")).finalOutput, /^sunny in (Oslo|Rome)$/);
  });
}

test("zod helpers", async () => {
  const client = new OpenAI({ baseURL: `${main.url}/v1`, apiKey: "none", maxRetries: 0 });
  const messages = [{ role: "user", content: question }];
  const chat = await client.chat.completions.parse({ model: main.model, messages, temperature: 0, max_tokens: 200, response_format: zodResponseFormat(Animal, "animal") });
  assert.ok(["bee", "cow"].includes(chat.choices[0].message.parsed.animal));

  const response = await client.responses.parse({ model: main.model, input: question, temperature: 0, max_output_tokens: 200, text: { format: zodTextFormat(Animal, "animal") } });
  assert.ok(["bee", "cow"].includes(response.output_parsed.animal));
});
