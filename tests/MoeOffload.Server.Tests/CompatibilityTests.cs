using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>What clients of other servers rely on: names, lengths, times, endpoints and the words of errors.</summary>
[TestFixture]
public sealed class CompatibilityTests
{
    private const string Chat = "/v1/chat/completions";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await TestServer.StartAsync(options =>
        {
            options.Models.Aliases = new Dictionary<string, string> { ["gpt-4o"] = TestServer.Demo };
            options.Requests.TranslateMessage = message => message.Replace("ContextOptions.ContextLength", "--ctx-size", StringComparison.Ordinal);
        });
        await _server.LoadedAsync();
    }

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [TestCase("tiny-moe:latest")]
    [TestCase("gpt-4o")]
    [TestCase("gpt-4o:latest")]
    public async Task Model_has_further_names(string name)
    {
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        chat["model"] = name;
        ((string)(await _server.AskAsync(Chat, chat))["model"]!).Should().Be(TestServer.Demo);
        ((string)(await _server.AskAsync("/api/show", new JsonObject { ["model"] = name }))["details"]!["format"]!).Should().Be("gguf");
    }

    [Test]
    public async Task Unknown_model_is_an_error_or_the_fallback()
    {
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        chat["model"] = "claude-sonnet";
        (await _server.FailAsync(Chat, chat)).Status.Should().Be(404);
        await using TestServer server = await TestServer.StartAsync(options => options.Models.FallbackModel = TestServer.Demo);
        ((string)(await server.AskAsync(Chat, chat))["model"]!).Should().Be(TestServer.Demo);
        using HttpResponseMessage show = await server.PostAsync("/api/show", new JsonObject { ["model"] = "claude-sonnet" });
        show.StatusCode.Should().Be(HttpStatusCode.NotFound, "only answers have a fallback");
    }

    [Test]
    public async Task Length_that_clients_are_told_is_the_one_that_is_served()
    {
        JsonNode shown = await _server.AskAsync("/api/show", new JsonObject { ["model"] = TestServer.Demo });
        JsonNode info = shown["model_info"]!;
        int length = (int)info[$"{(string)info["general.architecture"]!}.context_length"]!;
        length.Should().Be(512);
        ((string)shown["parameters"]!).Should().Be("num_ctx 512");
        JsonNode models = JsonNode.Parse(await _server.Http.GetStringAsync("/v1/models"))!;
        ((int)models["data"]![0]!["context_length"]!).Should().Be(length);
        JsonNode running = JsonNode.Parse(await _server.Http.GetStringAsync("/api/ps"))!;
        ((int)running["models"]![0]!["context_length"]!).Should().Be(length);
    }

    [Test]
    public async Task Expiry_has_a_time_zone_and_a_year_that_clients_can_read()
    {
        JsonNode running = JsonNode.Parse(await _server.Http.GetStringAsync("/api/ps"))!;
        string expiry = (string)running["models"]![0]!["expires_at"]!;
        expiry.Should().MatchRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$");
        DateTimeOffset.Parse(expiry, CultureInfo.InvariantCulture).Year.Should().BeInRange(2100, 9000);
    }

    [Test]
    public async Task Prompt_that_is_too_long_is_told_in_the_words_of_the_API_and_of_the_program()
    {
        string text = string.Concat(Enumerable.Repeat("a cow and ", 400));
        (int status, JsonNode error) = await _server.FailAsync(Chat, TestServer.Chat(text));
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be("context_length_exceeded");
        ((string)error["message"]!).Should().Contain("--ctx-size").And.NotContain("ContextOptions");

        JsonObject message = new() { ["model"] = TestServer.Demo, ["max_tokens"] = 2, ["messages"] = TestServer.Chat(text)["messages"]!.DeepClone() };
        (status, error) = await _server.FailAsync("/v1/messages", message);
        status.Should().Be(400);
        ((string)error["message"]!).Should().MatchRegex(@"^prompt is too long: \d+ tokens > 512 maximum");
    }

    [Test]
    public async Task Beginning_of_an_answer_is_continued()
    {
        JsonObject chat = TestServer.Chat(TestServer.ClearQuestion);
        string answer = (string)(await _server.AskAsync(Chat, chat.DeepClone()))["choices"]![0]!["message"]!["content"]!;
        string beginning = answer[..(answer.Length / 2)];
        chat["messages"]!.AsArray().Add(new JsonObject { ["role"] = "assistant", ["content"] = beginning });
        string rest = (string)(await _server.AskAsync(Chat, chat.DeepClone()))["choices"]![0]!["message"]!["content"]!;
        rest.Should().NotBeEmpty();
        (await _server.StreamAsync(Chat, chat.DeepClone())).SkipLast(1).Select(data => (string?)JsonNode.Parse(data)!["choices"]![0]!["delta"]!["content"])
            .Should().Match(parts => string.Concat(parts) == rest);

        JsonObject message = new() { ["model"] = TestServer.Demo, ["max_tokens"] = 24, ["temperature"] = 0, ["messages"] = chat["messages"]!.DeepClone() };
        ((string)(await _server.AskAsync("/v1/messages", message))["content"]![0]!["text"]!).Should().Be(rest);
        JsonObject ollama = new() { ["model"] = TestServer.Demo, ["stream"] = false, ["messages"] = chat["messages"]!.DeepClone(), ["options"] = new JsonObject { ["temperature"] = 0, ["num_predict"] = 24 } };
        ((string)(await _server.AskAsync("/api/chat", ollama))["message"]!["content"]!).Should().Be(rest);

        chat["continue_final_message"] = false;
        JsonNode prompt = await _server.AskAsync("/apply-template", chat);
        ((string)prompt["prompt"]!).Should().NotEndWith(beginning);
    }

    [Test]
    public async Task Response_continues_an_earlier_one_or_refers_to_its_items()
    {
        JsonObject first = new() { ["model"] = TestServer.Demo, ["input"] = "What do bees make?", ["max_output_tokens"] = 24, ["temperature"] = 0 };
        JsonNode answer = await _server.AskAsync("/v1/responses", first.DeepClone());
        string text = (string)answer["output"]![0]!["content"]![0]!["text"]!;
        JsonNode whole = await _server.AskAsync("/v1/responses", Next(new JsonArray(
            new JsonObject { ["role"] = "user", ["content"] = "What do bees make?" },
            new JsonObject { ["role"] = "assistant", ["content"] = text },
            new JsonObject { ["role"] = "user", ["content"] = "Why?" })));
        JsonObject continued = Next("Why?");
        continued["previous_response_id"] = (string)answer["id"]!;
        JsonNode referred = await _server.AskAsync("/v1/responses", Next(new JsonArray(
            new JsonObject { ["role"] = "user", ["content"] = "What do bees make?" },
            new JsonObject { ["type"] = "item_reference", ["id"] = (string)answer["output"]![0]!["id"]! },
            new JsonObject { ["role"] = "user", ["content"] = "Why?" })));
        int tokens = (int)whole["usage"]!["input_tokens"]!;
        ((int)(await _server.AskAsync("/v1/responses", continued))["usage"]!["input_tokens"]!).Should().Be(tokens);
        ((int)referred["usage"]!["input_tokens"]!).Should().Be(tokens);
        JsonNode.DeepEquals(JsonNode.Parse(await _server.Http.GetStringAsync($"/v1/responses/{(string)answer["id"]!}")), answer).Should().BeTrue();

        static JsonObject Next(JsonNode input) => new() { ["model"] = TestServer.Demo, ["input"] = input, ["max_output_tokens"] = 2 };
    }

    [Test]
    public async Task Response_that_is_not_stored_says_store()
    {
        JsonObject request = new() { ["model"] = TestServer.Demo, ["input"] = "Hi", ["max_output_tokens"] = 2, ["store"] = false };
        JsonNode answer = await _server.AskAsync("/v1/responses", request);
        ((bool)answer["store"]!).Should().BeFalse();
        request["previous_response_id"] = (string)answer["id"]!;
        ((string)(await _server.FailAsync("/v1/responses", request)).Error["message"]!).Should().Contain("'store'");
        request.Remove("previous_response_id");
        request["input"] = new JsonArray(new JsonObject { ["type"] = "item_reference", ["id"] = (string)answer["output"]![0]!["id"]! });
        (int status, JsonNode error) = await _server.FailAsync("/v1/responses", request);
        status.Should().Be(404);
        ((string)error["message"]!).Should().Contain("'store'");
        (await _server.Http.GetAsync("/v1/responses/resp_0")).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Deleted_response_is_gone()
    {
        JsonNode answer = await _server.AskAsync("/v1/responses", new JsonObject { ["model"] = TestServer.Demo, ["input"] = "Hi", ["max_output_tokens"] = 2 });
        string path = $"/v1/responses/{(string)answer["id"]!}";
        (await _server.Http.DeleteAsync(path)).StatusCode.Should().Be(HttpStatusCode.OK);
        (await _server.Http.GetAsync(path)).StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Test]
    public async Task Tokens_become_text_again()
    {
        JsonNode tokens = (await _server.AskAsync("/tokenize", new JsonObject { ["content"] = "Bees make honey." }))["tokens"]!;
        tokens.AsArray().Should().HaveCountGreaterThan(2);
        JsonNode text = await _server.AskAsync("/detokenize", new JsonObject { ["tokens"] = tokens.DeepClone() });
        ((string)text["content"]!).Should().Be("Bees make honey.");
        JsonNode pieces = (await _server.AskAsync("/tokenize", new JsonObject { ["content"] = "Bees", ["with_pieces"] = true, ["model"] = TestServer.Demo }))["tokens"]!;
        string.Concat(pieces.AsArray().Select(piece => (string)piece!["piece"]!)).Trim().Should().Be("Bees");
        JsonNode mixed = (await _server.AskAsync("/tokenize", new JsonObject { ["content"] = new JsonArray(5, "Bees") }))["tokens"]!;
        ((int)mixed[0]!).Should().Be(5);
        (await _server.FailAsync("/detokenize", new JsonObject { ["tokens"] = new JsonArray(-1) })).Status.Should().Be(400);
        (await _server.FailAsync("/tokenize", new JsonObject())).Status.Should().Be(400);
    }

    [Test]
    public async Task Properties_and_slots_are_those_of_the_session()
    {
        JsonNode props = JsonNode.Parse(await _server.Http.GetStringAsync("/props"))!;
        ((int)props["default_generation_settings"]!["n_ctx"]!).Should().Be(512);
        ((int)props["total_slots"]!).Should().Be(4);
        ((string)props["chat_template"]!).Should().NotBeEmpty();
        JsonNode slots = JsonNode.Parse(await _server.Http.GetStringAsync("/slots"))!;
        slots.AsArray().Should().HaveCount(4);
        ((bool)slots[0]!["is_processing"]!).Should().BeFalse();
    }

    [Test]
    public async Task Middle_is_filled_in_by_models_that_have_the_tokens([Values("/infill", "/v1/completions", "/api/generate")] string path)
    {
        var request = new JsonObject { ["model"] = TestServer.Demo, ["max_tokens"] = 3, ["prompt"] = "def f(", ["suffix"] = "return 1", ["stream"] = false };
        request["input_prefix"] = "def f(";
        request["input_suffix"] = "return 1";
        using HttpResponseMessage refused = await _server.PostAsync(path, request);
        refused.StatusCode.Should().Be(HttpStatusCode.BadRequest, "the demo model has no tokens for it");
        (await refused.Content.ReadAsStringAsync()).Should().Contain("filling in the middle");

        await using TestServer server = await TestServer.StartAsync(configure: null, AlteredModels.Alter(
            TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 }),
            writer =>
            {
                writer.Set("tokenizer.ggml.fim_pre_token_id", 10u);
                writer.Set("tokenizer.ggml.fim_suf_token_id", 11u);
                writer.Set("tokenizer.ggml.fim_mid_token_id", 12u);
            }));
        request["model"] = server.Models.List()[0].Entry.Name;
        JsonNode filled = await server.AskAsync(path, request);
        string text = (string?)filled["content"] ?? (string?)filled["response"] ?? (string)filled["choices"]![0]!["text"]!;
        text.Should().NotBeNull();
    }

    [TestCase("http://localhost:3000", true)]
    [TestCase("http://127.0.0.1:8080", true)]
    [TestCase("https://localhost", true)]
    [TestCase("http://[::1]:5173", true)]
    [TestCase("app://obsidian.md", true)]
    [TestCase("tauri://localhost", true)]
    [TestCase("http://tauri.localhost", true)]
    [TestCase("file://", true)]
    [TestCase("vscode-webview://abc", true)]
    [TestCase("null", false)]
    [TestCase("https://example.org", false)]
    [TestCase("http://localhost.example.org", false)]
    [TestCase("http://127.0.0.1.example.org", false)]
    [TestCase("https://app.example.org", false)]
    public async Task Pages_of_this_machine_and_applications_can_use_the_server(string origin, bool isAllowed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.TryAddWithoutValidation("Origin", origin);
        using HttpResponseMessage response = await _server.Http.SendAsync(request);
        response.StatusCode.Should().Be(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        response.Headers.Contains("Access-Control-Allow-Origin").Should().Be(isAllowed);
    }

    [Test]
    public async Task Model_without_a_template_is_served_with_ChatML_and_a_warning()
    {
        await using TestServer server = await TestServer.StartAsync(configure: null, AlteredModels.Alter(
            TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 }), writer => writer.Remove("tokenizer.chat_template")));
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        chat["model"] = server.Models.List()[0].Entry.Name;
        await server.AskAsync(Chat, chat.DeepClone());
        ((string)(await server.AskAsync("/apply-template", chat))["prompt"]!).Should().StartWith("<|im_start|>user\nHi");
        server.Log.Lines.Should().Contain(line => line.Text.Contains("no chat template", StringComparison.Ordinal));
    }

    [Test]
    public async Task Embedding_has_the_dimensions_that_were_requested([Values("/v1/embeddings", "/api/embed", "/api/embeddings")] string path)
    {
        JsonNode answer = await _server.AskAsync(path, new JsonObject { ["model"] = TestServer.Demo, ["input"] = "Bees", ["prompt"] = "Bees", ["dimensions"] = 8 });
        JsonArray vector = (answer["data"]?[0]!["embedding"] ?? answer["embeddings"]?[0] ?? answer["embedding"])!.AsArray();
        vector.Should().HaveCount(8);
        vector.Sum(value => (double)value! * (double)value!).Should().BeApproximately(1, 1e-3);
    }

    [Test]
    public async Task Copy_is_a_further_name_if_changes_are_allowed()
    {
        JsonObject copy = new() { ["source"] = TestServer.Demo, ["destination"] = "mine" };
        using HttpResponseMessage refused = await _server.PostAsync("/api/copy", copy);
        refused.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        await using TestServer server = await TestServer.StartAsync(options => options.Models.AllowChanges = true);
        (await server.PostAsync("/api/copy", copy)).StatusCode.Should().Be(HttpStatusCode.OK);
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        chat["model"] = "mine:latest";
        ((string)(await server.AskAsync(Chat, chat))["model"]!).Should().Be(TestServer.Demo);
        (await DeleteAsync("mine")).Should().Be(HttpStatusCode.OK);
        (await DeleteAsync("mine")).Should().Be(HttpStatusCode.NotFound);
        (await DeleteAsync(TestServer.Demo)).Should().Be(HttpStatusCode.BadRequest, "its file is not deleted");
        (await server.PostAsync("/api/pull", new JsonObject { ["model"] = "llama3" })).StatusCode.Should().Be(HttpStatusCode.BadRequest);

        async Task<HttpStatusCode> DeleteAsync(string name)
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, "/api/delete") { Content = new StringContent(new JsonObject { ["model"] = name }.ToJsonString()) };
            using HttpResponseMessage response = await server.Http.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Test]
    public async Task Wrong_method_is_told_the_right_one()
    {
        using HttpResponseMessage response = await _server.Http.GetAsync("/v1/chat/completions");
        response.StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
        response.Content.Headers.Allow.Should().Equal("POST");
        (await _server.Http.GetAsync("/v1/nothing")).StatusCode.Should().Be(HttpStatusCode.NotFound);
        (await _server.Http.DeleteAsync("/v1/models")).StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
    }

    [Test]
    public async Task Models_have_the_members_of_both_APIs()
    {
        JsonNode list = JsonNode.Parse(await _server.Http.GetStringAsync("/v1/models"))!;
        ((string)list["first_id"]!).Should().Be(TestServer.Demo);
        ((bool)list["has_more"]!).Should().BeFalse();
        ((string)list["data"]![0]!["type"]!).Should().Be("model");
        ((string)list["data"]![0]!["display_name"]!).Should().Be(TestServer.Demo);
        ((string)list["data"]![0]!["created_at"]!).Should().EndWith("Z");
    }

    [Test]
    public async Task Chunks_before_the_usage_have_a_usage_of_null()
    {
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 3);
        chat["stream_options"] = new JsonObject { ["include_usage"] = true };
        JsonObject[] chunks = [.. (await _server.StreamAsync(Chat, chat)).SkipLast(1).Select(data => JsonNode.Parse(data)!.AsObject())];
        chunks.SkipLast(1).Should().OnlyContain(chunk => chunk.ContainsKey("usage") && chunk["usage"] == null);
        chunks[^1]["usage"].Should().NotBeNull();
    }

    [Test]
    public async Task Text_chunks_before_the_usage_have_a_usage_of_null_too()
    {
        JsonObject request = new() { ["model"] = TestServer.Demo, ["prompt"] = "Bees", ["max_tokens"] = 3, ["stream_options"] = new JsonObject { ["include_usage"] = true } };
        JsonObject[] chunks = [.. (await _server.StreamAsync("/v1/completions", request)).SkipLast(1).Select(data => JsonNode.Parse(data)!.AsObject())];
        chunks.SkipLast(1).Should().OnlyContain(chunk => chunk.ContainsKey("usage") && chunk["usage"] == null);
        ((int)chunks[^1]["usage"]!["completion_tokens"]!).Should().Be(3);
        request["stream_options"] = null;
        (await _server.StreamAsync("/v1/completions", request)).SkipLast(1).Should().OnlyContain(data => !data.Contains("\"usage\""));
    }

    [Test]
    public async Task Usage_says_what_came_from_the_cache_and_what_is_written_to_it()
    {
        JsonObject chat = TestServer.Chat("What is the usage of a question that nobody asked before?", maxTokens: 2);
        JsonNode first = (await _server.AskAsync(Chat, chat.DeepClone()))["usage"]!;
        JsonNode second = (await _server.AskAsync(Chat, chat))["usage"]!;
        int prompt = (int)first["prompt_tokens"]!;
        ((int)first["prompt_tokens_details"]!["cached_tokens"]! + (int)first["prompt_tokens_details"]!["cache_write_tokens"]!).Should().Be(prompt);
        ((int)second["prompt_tokens_details"]!["cached_tokens"]!).Should().BeGreaterThan(prompt / 2);
        ((int)second["prompt_tokens_details"]!["cache_write_tokens"]!).Should().BeLessThan(prompt / 2);
        ((int)second["completion_tokens_details"]!["reasoning_tokens"]!).Should().Be(0);

        JsonObject response = new() { ["model"] = TestServer.Demo, ["input"] = "What do cows eat?", ["max_output_tokens"] = 2, ["user"] = "ann" };
        JsonNode answer = await _server.AskAsync("/v1/responses", response);
        ((int)answer["usage"]!["input_tokens_details"]!["cached_tokens"]! + (int)answer["usage"]!["input_tokens_details"]!["cache_write_tokens"]!)
            .Should().Be((int)answer["usage"]!["input_tokens"]!);
        ((string?)answer["user"]).Should().Be("ann");
    }

    [Test]
    public async Task Probabilities_have_a_refusal_of_null()
    {
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        chat["logprobs"] = true;
        JsonObject probabilities = (await _server.AskAsync(Chat, chat.DeepClone()))["choices"]![0]!["logprobs"]!.AsObject();
        probabilities.Should().ContainKey("refusal");
        probabilities["refusal"].Should().BeNull();
        JsonObject[] streamed = [.. (await _server.StreamAsync(Chat, chat)).SkipLast(1).Select(data => JsonNode.Parse(data)!["choices"]![0]!["logprobs"]).OfType<JsonObject>()];
        streamed.Should().NotBeEmpty().And.OnlyContain(item => item.ContainsKey("refusal") && item["refusal"] == null);
    }

    [TestCase(Chat, "messages")]
    [TestCase("/v1/completions", "prompt")]
    [TestCase("/v1/responses", "input")]
    [TestCase("/v1/embeddings", "input")]
    public async Task Error_of_a_long_prompt_names_its_field(string path, string field)
    {
        string text = string.Concat(Enumerable.Repeat("a cow and ", path == "/v1/embeddings" ? 20_000 : 400));
        JsonObject request = new() { ["model"] = TestServer.Demo, ["input"] = text, ["prompt"] = text, ["messages"] = TestServer.Chat(text)["messages"]!.DeepClone() };
        foreach (string other in ((string[])["messages", "prompt", "input"]).Where(name => name != field))
        {
            request.Remove(other);
        }

        (int status, JsonNode error) = await _server.FailAsync(path, request);
        status.Should().Be(400);
        ((string?)error["code"]).Should().Be("context_length_exceeded");
        ((string?)error["param"]).Should().Be(field);
    }

    [Test]
    public async Task Times_are_those_of_RFC_3339()
    {
        const string Time = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$";
        JsonNode tags = JsonNode.Parse(await _server.Http.GetStringAsync("/api/tags"))!;
        ((string)tags["models"]![0]!["modified_at"]!).Should().MatchRegex(Time);
        ((string)(await _server.AskAsync("/api/show", new JsonObject { ["model"] = TestServer.Demo }))["modified_at"]!).Should().MatchRegex(Time);
        JsonObject chat = new() { ["model"] = TestServer.Demo, ["messages"] = TestServer.Chat("Hi")["messages"]!.DeepClone(), ["options"] = new JsonObject { ["num_predict"] = 2 }, ["stream"] = false };
        ((string)(await _server.AskAsync("/api/chat", chat))["created_at"]!).Should().MatchRegex(Time);
        JsonObject generate = new() { ["model"] = TestServer.Demo, ["prompt"] = "Hi", ["options"] = new JsonObject { ["num_predict"] = 2 }, ["stream"] = false };
        ((string)(await _server.AskAsync("/api/generate", generate))["created_at"]!).Should().MatchRegex(Time);
        ((string)JsonNode.Parse(await _server.Http.GetStringAsync("/v1/models"))!["data"]![0]!["created_at"]!).Should().MatchRegex(Time);
    }
}
