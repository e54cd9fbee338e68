using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>The answers of each endpoint, and each part of their streams, against the types that the clients of OpenAI, Anthropic and Ollama declare.</summary>
[TestFixture]
public sealed class TypeTests
{
    private const string Tool = """{"name":"get_weather","description":"Tells the weather","parameters":{"type":"object","properties":{"city":{"enum":["Oslo"]}},"required":["city"],"additionalProperties":false}}""";

    // A date is a text on the wire, and a client adds output_text to a response. "Extra" members are allowed, as JSON clients allow them.
    private const string Head = """
        import type OpenAI from "openai";
        import type Anthropic from "@anthropic-ai/sdk";
        import type * as Ollama from "ollama";

        type Wire<T> = T extends Date ? string
          : T extends Map<string, any> ? { [key: string]: any }
          : T extends (infer E)[] ? Wire<E>[]
          : T extends { output_text: string } ? WireObject<Omit<T, "output_text">>
          : T extends object ? WireObject<T> : T;
        type WireObject<T> = { [K in keyof T]: Wire<T[K]> };
        type Some<T, K extends keyof T> = Pick<T, K> & Partial<T>;
        type TextChunk = Omit<OpenAI.Completion, "choices" | "usage"> & {
          choices: (Omit<OpenAI.CompletionChoice, "finish_reason"> & { finish_reason: OpenAI.CompletionChoice["finish_reason"] | null })[];
          usage?: OpenAI.CompletionUsage | null;
        };
        type ModelList = { object: "list"; data: OpenAI.Model[] };
        type ModelPage = { data: Anthropic.ModelInfo[]; has_more: boolean; first_id: string | null; last_id: string | null };
        type OpenAIError = { error: { message: string; type: string; param: string | null; code: string | null } };
        type MessageEvent = Anthropic.RawMessageStreamEvent | { type: "ping" };
        type OllamaChat = Some<Ollama.ChatResponse, "model" | "created_at" | "message" | "done">;
        type OllamaText = Some<Ollama.GenerateResponse, "model" | "created_at" | "response" | "done">;
        type OllamaTags = { models: Some<Ollama.ModelResponse, "name" | "model" | "modified_at" | "size" | "digest" | "details">[] };
        type OllamaShow = Some<Ollama.ShowResponse, "modelfile" | "parameters" | "template" | "details" | "model_info" | "capabilities" | "modified_at">;

        function is<T>() { return <const V extends Wire<T>>(value: V) => value; }

        """;

    private readonly StringBuilder _program = new(Head);
    private readonly List<string> _what = [];

    private TestServer _server = null!;
    private TestServer _calling = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        await NodeClients.InstallAsync();
        _server = await TestServer.StartAsync();
        _calling = await CallingModel.StartAsync();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _server.DisposeAsync();
        await _calling.DisposeAsync();
    }

    [Test]
    public async Task Answers_have_the_types_that_the_clients_declare()
    {
        await AddOpenAIAsync();
        await AddResponsesAsync();
        await AddAnthropicAsync();
        await AddOllamaAsync();
        _what.Distinct().Should().HaveCountGreaterThan(15);

        string folder = Path.Combine(NodeClients.Folder, "obj");
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, "answers.ts");
        await File.WriteAllTextAsync(file, _program.ToString());
        (int code, string output) = await NodeClients.RunAsync(
            "node",
            ["node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2023", "--module", "nodenext", "--moduleResolution", "nodenext", file],
            TimeSpan.FromMinutes(2));
        code.Should().Be(0, output);
    }

    private async Task AddOpenAIAsync()
    {
        JsonObject chat = TestServer.Chat("What do bees make?", maxTokens: 4);
        chat["logprobs"] = true;
        chat["top_logprobs"] = 2;
        await AddAsync("OpenAI.Chat.ChatCompletion", "/v1/chat/completions", chat);
        chat["stream_options"] = new JsonObject { ["include_usage"] = true };
        await AddStreamAsync("OpenAI.Chat.ChatCompletionChunk", "/v1/chat/completions", chat);
        await AddAsync("OpenAI.Chat.ChatCompletion", "/v1/chat/completions", Calling(chat: true), _calling);
        await AddStreamAsync("OpenAI.Chat.ChatCompletionChunk", "/v1/chat/completions", Calling(chat: true), _calling);

        JsonObject text = new() { ["model"] = TestServer.Demo, ["prompt"] = "Bees", ["max_tokens"] = 4, ["logprobs"] = 2 };
        await AddAsync("OpenAI.Completion", "/v1/completions", text);
        text["stream_options"] = new JsonObject { ["include_usage"] = true };
        await AddStreamAsync("TextChunk", "/v1/completions", text);
        await AddAsync("OpenAI.CreateEmbeddingResponse", "/v1/embeddings", new JsonObject { ["model"] = TestServer.Demo, ["input"] = "a", ["dimensions"] = 4 });
        Add("ModelList", "/v1/models", await GetAsync("/v1/models"));
        Add("OpenAI.Model", "/v1/models/NAME", await GetAsync($"/v1/models/{TestServer.Demo}"));
        await AddAsync("OpenAIError", "/v1/chat/completions", new JsonObject { ["model"] = "nothing", ["messages"] = chat["messages"]!.DeepClone() }, status: 404);
        await AddAsync("OpenAIError", "/v1/chat/completions", new JsonObject { ["model"] = TestServer.Demo }, status: 400);
    }

    private async Task AddResponsesAsync()
    {
        JsonObject request = new()
        {
            ["model"] = TestServer.Demo,
            ["input"] = "What do bees make?",
            ["max_output_tokens"] = 4,
            ["temperature"] = 0,
            ["include"] = new JsonArray("message.output_text.logprobs"),
            ["top_logprobs"] = 2,
        };
        await AddAsync("OpenAI.Responses.Response", "/v1/responses", request);
        await AddStreamAsync("OpenAI.Responses.ResponseStreamEvent", "/v1/responses", request);
        await AddAsync("OpenAI.Responses.Response", "/v1/responses", Calling(chat: false), _calling);
        await AddStreamAsync("OpenAI.Responses.ResponseStreamEvent", "/v1/responses", Calling(chat: false), _calling);
    }

    private async Task AddAnthropicAsync()
    {
        JsonObject message = new()
        {
            ["model"] = TestServer.Demo,
            ["max_tokens"] = 24,
            ["temperature"] = 0,
            ["messages"] = TestServer.Chat("What do bees make?")["messages"]!.DeepClone(),
            ["thinking"] = new JsonObject { ["type"] = "enabled", ["budget_tokens"] = 1024 },
        };
        await AddAsync("Anthropic.Message", "/v1/messages", message);
        await AddStreamAsync("MessageEvent", "/v1/messages", message);
        JsonObject calling = message.DeepClone().AsObject();
        calling["model"] = _calling.Models.List()[0].Entry.Name;
        calling["max_tokens"] = 200;
        calling["tools"] = new JsonArray(JsonNode.Parse(Tool.Replace("\"parameters\"", "\"input_schema\"", StringComparison.Ordinal)));
        calling["tool_choice"] = new JsonObject { ["type"] = "any", ["disable_parallel_tool_use"] = true };
        await AddAsync("Anthropic.Message", "/v1/messages", calling, _calling);
        await AddStreamAsync("MessageEvent", "/v1/messages", calling, _calling);
        await AddAsync("Anthropic.MessageTokensCount", "/v1/messages/count_tokens", new JsonObject { ["model"] = TestServer.Demo, ["messages"] = message["messages"]!.DeepClone() });
        await AddAsync("Anthropic.ErrorResponse", "/v1/messages", new JsonObject { ["model"] = TestServer.Demo }, status: 400);
        Add("ModelPage", "/v1/models", await GetAsync("/v1/models"));
    }

    private async Task AddOllamaAsync()
    {
        JsonObject chat = new()
        {
            ["model"] = TestServer.Demo,
            ["messages"] = TestServer.Chat("What do bees make?")["messages"]!.DeepClone(),
            ["options"] = new JsonObject { ["num_predict"] = 4, ["temperature"] = 0 },
            ["logprobs"] = true,
            ["top_logprobs"] = 1,
            ["stream"] = false,
        };
        await AddAsync("Ollama.ChatResponse", "/api/chat", chat);
        await AddStreamAsync("OllamaChat", "/api/chat", chat);
        JsonObject calling = chat.DeepClone().AsObject();
        calling["model"] = _calling.Models.List()[0].Entry.Name;
        calling["options"]!["num_predict"] = 1000;
        calling["options"]!.AsObject().Remove("temperature");
        calling["tools"] = new JsonArray(new JsonObject { ["type"] = "function", ["function"] = JsonNode.Parse(Tool) });
        await AddAsync("Ollama.ChatResponse", "/api/chat", calling, _calling);
        JsonObject generate = new() { ["model"] = TestServer.Demo, ["prompt"] = "Bees", ["options"] = new JsonObject { ["num_predict"] = 4 }, ["stream"] = false };
        await AddAsync("OllamaText", "/api/generate", generate);
        await AddStreamAsync("OllamaText", "/api/generate", generate);
        await AddAsync("Ollama.EmbedResponse", "/api/embed", new JsonObject { ["model"] = TestServer.Demo, ["input"] = "a", ["dimensions"] = 4 });
        await AddAsync("Ollama.EmbeddingsResponse", "/api/embeddings", new JsonObject { ["model"] = TestServer.Demo, ["prompt"] = "a", ["dimensions"] = 4 });
        await AddAsync("OllamaShow", "/api/show", new JsonObject { ["model"] = TestServer.Demo });
        Add("OllamaTags", "/api/tags", await GetAsync("/api/tags"));
        Add("Ollama.ListResponse", "/api/ps", await GetAsync("/api/ps"));
        Add("Ollama.VersionResponse", "/api/version", await GetAsync("/api/version"));
        await AddAsync("Ollama.ErrorResponse", "/api/chat", new JsonObject { ["model"] = "nothing" }, status: 404);
    }

    private JsonObject Calling(bool chat)
    {
        JsonObject request = new() { ["model"] = _calling.Models.List()[0].Entry.Name, ["tool_choice"] = "required", ["parallel_tool_calls"] = false };
        JsonObject tool = JsonNode.Parse(Tool)!.AsObject();
        if (chat)
        {
            request["messages"] = TestServer.Chat("How is it?")["messages"]!.DeepClone();
            request["max_tokens"] = 200;
            request["tools"] = new JsonArray(new JsonObject { ["type"] = "function", ["function"] = tool });
        }
        else
        {
            tool["type"] = "function";
            tool["strict"] = true;
            request["input"] = "How is it?";
            request["max_output_tokens"] = 200;
            request["tools"] = new JsonArray(tool);
        }

        return request;
    }

    private async Task AddAsync(string type, string path, JsonObject request, TestServer? server = null, int status = 200)
    {
        using HttpResponseMessage response = await (server ?? _server).PostAsync(path, request.DeepClone());
        string text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).Should().Be(status, text);
        Add(type, path, text);
    }

    private async Task AddStreamAsync(string type, string path, JsonObject request, TestServer? server = null)
    {
        JsonObject streamed = request.DeepClone().AsObject();
        streamed["stream"] = true;
        using HttpResponseMessage response = await (server ?? _server).PostAsync(path, streamed);
        string text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).Should().Be(200, text);
        foreach (string line in text.Split('\n'))
        {
            string part = line.StartsWith("data: ", StringComparison.Ordinal) ? line[6..] : line;
            if (part.TrimStart().StartsWith('{'))
            {
                Add(type, $"{path}, streamed", part);
            }
        }
    }

    private Task<string> GetAsync(string path) => _server.Http.GetStringAsync(path);

    private void Add(string type, string what, string json)
    {
        _what.Add($"{type} {what}");
        _program.Append("is<").Append(type).Append(">()(").Append(json.Trim()).Append("); // ").Append(what).Append('\n');
    }
}
