using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class OllamaTests
{
    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task Chat_is_answered_with_counts_and_times()
    {
        JsonNode answer = await _server.AskAsync("/api/chat", Chat("What do bees make?", stream: false));
        JsonNode other = await _server.AskAsync("/v1/chat/completions", TestServer.Chat("What do bees make?"));

        ((string?)answer["model"]).Should().Be(TestServer.Demo);
        ((string?)answer["message"]!["role"]).Should().Be("assistant");
        ((string?)answer["message"]!["content"]).Should().Be((string?)other["choices"]![0]!["message"]!["content"]).And.NotBeNullOrEmpty();
        ((bool)answer["done"]!).Should().BeTrue();
        ((string?)answer["done_reason"]).Should().Be("stop");
        ((int)answer["prompt_eval_count"]!).Should().Be((int)other["usage"]!["prompt_tokens"]!);
        ((int)answer["eval_count"]!).Should().Be((int)other["usage"]!["completion_tokens"]!);
        ((long)answer["total_duration"]!).Should().BeGreaterThan((long)answer["eval_duration"]! + (long)answer["load_duration"]!);
        ((long)answer["eval_duration"]!).Should().BePositive();
        ((long)answer["prompt_eval_duration"]!).Should().BePositive();
        ((DateTime)answer["created_at"]!).Should().BeCloseTo(DateTime.UtcNow, TimeSpan.FromMinutes(1));
    }

    [Test]
    public async Task Chat_streams_by_default_a_line_at_a_time_and_adds_up_to_the_answer()
    {
        JsonNode whole = await _server.AskAsync("/api/chat", Chat(TestServer.ClearQuestion, stream: false));
        List<JsonNode> lines = await LinesAsync("/api/chat", Chat(TestServer.ClearQuestion, stream: null));

        string.Concat(lines.Select(line => (string?)line["message"]!["content"])).Should().Be((string?)whole["message"]!["content"]);
        lines.Count.Should().BeGreaterThan(2, "tokens that come together are one line");
        lines.SkipLast(1).Should().OnlyContain(line => !(bool)line["done"]! && line["eval_count"] == null);
        ((bool)lines[^1]["done"]!).Should().BeTrue();
        ((string?)lines[^1]["done_reason"]).Should().Be("length");
        ((int)lines[^1]["eval_count"]!).Should().Be(24);
    }

    [TestCase(true)]
    [TestCase(false)]
    [TestCase(null)]
    public async Task Chat_that_is_too_long_loses_its_oldest_turns_if_the_request_says_so(bool? truncate)
    {
        JsonObject body = Chat("What do bees make?", stream: false);
        JsonArray messages = body["messages"]!.AsArray();
        for (int i = 0; i < 60; i++)
        {
            messages.Insert(0, new JsonObject { ["role"] = "assistant", ["content"] = "It is one of the numbers that I know." });
            messages.Insert(0, new JsonObject { ["role"] = "user", ["content"] = $"What is {i}?" });
        }

        body["truncate"] = truncate;
        using HttpResponseMessage response = await _server.PostAsync("/api/chat", body);

        response.StatusCode.Should().Be(truncate == true ? HttpStatusCode.OK : HttpStatusCode.BadRequest);
        JsonNode answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        if (truncate == true)
        {
            ((int)answer["omitted_messages"]!).Should().BeInRange(2, 118);
            ((int)answer["omitted_messages"]! % 2).Should().Be(0);
            ((int)answer["prompt_eval_count"]!).Should().BeLessThan(512);
        }
        else
        {
            ((string?)answer["error"]).Should().Contain("room for 512");
        }
    }

    [Test]
    public async Task Options_count()
    {
        JsonObject body = Chat("Tell me a story.", stream: false);
        body["options"] = new JsonObject { ["temperature"] = 0, ["num_predict"] = 7, ["num_ctx"] = 4096, ["stop"] = new JsonArray("never appears") };

        JsonNode answer = await _server.AskAsync("/api/chat", body);

        ((int)answer["eval_count"]!).Should().Be(7);
        ((string?)answer["done_reason"]).Should().Be("length");
    }

    [Test]
    public async Task Answer_follows_a_schema_or_is_json()
    {
        JsonObject body = Chat("Who makes honey?", stream: false);
        body["options"]!["num_predict"] = 200;
        body["format"] = JsonNode.Parse("""{"type":"object","properties":{"animal":{"type":"string","enum":["bee","cow"]},"sure":{"type":"boolean"}},"required":["animal","sure"]}""");
        JsonNode schema = JsonNode.Parse((string)(await _server.AskAsync("/api/chat", body.DeepClone()))["message"]!["content"]!)!;
        body["format"] = "json";
        body["options"]!["num_predict"] = 100;
        string json = (string)(await _server.AskAsync("/api/chat", body))["message"]!["content"]!;

        ((string?)schema["animal"]).Should().BeOneOf("bee", "cow");
        schema["sure"]!.GetValueKind().Should().BeOneOf(System.Text.Json.JsonValueKind.True, System.Text.Json.JsonValueKind.False);
        json.TrimStart().Should().StartWith("{");
    }

    [Test]
    public async Task Tool_calls_have_objects_as_arguments_and_their_results_are_taken()
    {
        await using TestServer server = await CallingModel.StartAsync();
        JsonObject body = Chat("What is the weather?", stream: null);
        body["model"] = server.Models.List()[0].Entry.Name;
        body["options"] = new JsonObject { ["num_predict"] = 1000 };
        body["tools"] = JsonNode.Parse("""
            [{"type":"function","function":{"name":"get_weather","description":"Tells the weather","parameters":
              {"type":"object","properties":{"city":{"type":"string","enum":["Oslo","Rome"]}},"required":["city"],"additionalProperties":false}}}]
            """);

        List<JsonNode> lines = await LinesAsync("/api/chat", body, server);

        JsonNode call = lines.Single(line => line["message"]!["tool_calls"] is not null)["message"]!["tool_calls"]![0]!;
        ((string?)call["function"]!["name"]).Should().Be("get_weather");
        ((string?)call["function"]!["arguments"]!["city"]).Should().BeOneOf("Oslo", "Rome");
        ((bool)lines[^1]["done"]!).Should().BeTrue();

        JsonArray messages = body["messages"]!.AsArray();
        messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = "", ["tool_calls"] = new JsonArray(call.DeepClone()) });
        messages.Add(new JsonObject { ["role"] = "tool", ["content"] = "sunny", ["tool_name"] = "get_weather" });
        body["options"]!["num_predict"] = 2;
        List<JsonNode> next = await LinesAsync("/api/chat", body, server);
        ((bool)next[^1]["done"]!).Should().BeTrue();
    }

    [Test]
    public async Task Thinking_comes_apart_unless_it_is_turned_off()
    {
        await using TestServer server = await TestServer.StartAsync(
            options =>
            {
                options.Models.Context = options.Models.Context with { ContextLength = 2048 };
                options.Requests.Sampling = SamplingOptions.Greedy with { Grammar = """root ::= "<think>\n" [a-z ]{8,12} "</think>\n\n" [A-Z ]{8,12}""" };
            },
            RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));
        JsonObject body = Chat("Hi", stream: false);
        body["model"] = server.Models.List()[0].Entry.Name;
        body["options"] = new JsonObject { ["num_predict"] = 60 };
        body["think"] = true;

        JsonNode answer = await server.AskAsync("/api/chat", body.DeepClone());
        List<JsonNode> lines = await LinesAsync("/api/chat", Streamed(body), server);

        ((string?)answer["message"]!["thinking"]).Should().MatchRegex("^[a-z ]+$");
        ((string?)answer["message"]!["content"]).Should().MatchRegex("^[A-Z ]+$");
        string.Concat(lines.Select(line => (string?)line["message"]!["thinking"])).Should().Be((string?)answer["message"]!["thinking"]);
    }

    [Test]
    public async Task Log_probabilities_come_with_their_tokens()
    {
        JsonObject body = Chat("What do bees make?", stream: false);
        body["logprobs"] = true;
        body["top_logprobs"] = 2;

        JsonNode answer = await _server.AskAsync("/api/chat", body.DeepClone());
        List<JsonNode> lines = await LinesAsync("/api/chat", Streamed(body));

        JsonArray tokens = answer["logprobs"]!.AsArray();
        tokens.Should().HaveCount((int)answer["eval_count"]!);
        tokens.Should().OnlyContain(token => (double)token!["logprob"]! <= 0 && token["top_logprobs"]!.AsArray().Count == 2);
        ((string?)tokens[0]!["top_logprobs"]![0]!["token"]).Should().Be((string?)tokens[0]!["token"], "greedy takes the best");
        lines.Where(line => line["logprobs"] is not null).Sum(line => line["logprobs"]!.AsArray().Count).Should().BeInRange(tokens.Count - 1, tokens.Count);
    }

    [Test]
    public async Task Generate_answers_a_prompt_as_a_message_and_continues_a_raw_one()
    {
        var body = new JsonObject
        {
            ["model"] = TestServer.Demo,
            ["prompt"] = "What do bees make?",
            ["stream"] = false,
            ["options"] = new JsonObject { ["temperature"] = 0, ["num_predict"] = 24 },
        };
        JsonNode answer = await _server.AskAsync("/api/generate", body.DeepClone());
        List<JsonNode> lines = await LinesAsync("/api/generate", Streamed(body));
        body["raw"] = true;
        body["prompt"] = "Bees make";
        JsonNode raw = await _server.AskAsync("/api/generate", body);

        JsonNode chat = await _server.AskAsync("/api/chat", Chat("What do bees make?", stream: false));
        ((string?)answer["response"]).Should().Be((string?)chat["message"]!["content"]);
        string.Concat(lines.Select(line => (string?)line["response"])).Should().Be((string?)answer["response"]);
        ((int)lines[^1]["eval_count"]!).Should().Be((int)answer["eval_count"]!);
        ((string?)raw["response"]).Should().NotBeNullOrEmpty();
        ((int)raw["prompt_eval_count"]!).Should().BeLessThan((int)answer["prompt_eval_count"]!);
    }

    [Test]
    public async Task Request_without_a_prompt_loads_and_without_time_unloads()
    {
        await using TestServer server = await TestServer.StartAsync();

        JsonNode loaded = await server.AskAsync("/api/generate", new JsonObject { ["model"] = TestServer.Demo });
        JsonNode listed = await GetAsync(server, "/api/ps");
        JsonNode unloaded = await server.AskAsync("/api/chat", new JsonObject { ["model"] = TestServer.Demo, ["keep_alive"] = 0 });
        JsonNode after = await GetAsync(server, "/api/ps");

        ((string?)loaded["done_reason"]).Should().Be("load");
        listed["models"]!.AsArray().Should().ContainSingle();
        ((long)listed["models"]![0]!["size"]!).Should().BeGreaterThan(9_000_000);
        ((int)listed["models"]![0]!["context_length"]!).Should().Be(512);
        ((string?)unloaded["done_reason"]).Should().Be("unload");
        after["models"]!.AsArray().Should().BeEmpty();
    }

    [Test]
    public async Task Model_leaves_after_an_answer_that_asks_for_it()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonObject body = Chat("Hi", stream: false);
        body["keep_alive"] = "0s";

        await server.AskAsync("/api/chat", body);

        (await GetAsync(server, "/api/ps"))["models"]!.AsArray().Should().BeEmpty();
    }

    [Test]
    public async Task Models_are_listed_and_described()
    {
        JsonNode tag = (await GetAsync(_server, "/api/tags"))["models"]!.AsArray().Should().ContainSingle().Subject!;
        JsonNode shown = await _server.AskAsync("/api/show", new JsonObject { ["model"] = TestServer.Demo });
        JsonNode verbose = await _server.AskAsync("/api/show", new JsonObject { ["name"] = TestServer.Demo, ["verbose"] = true });
        JsonNode version = await GetAsync(_server, "/api/version");

        ((string?)tag["name"]).Should().Be(TestServer.Demo);
        ((long)tag["size"]!).Should().Be(new FileInfo(DemoModel.Path).Length);
        ((string?)tag["digest"]).Should().MatchRegex("^[0-9a-f]{64}$");
        ((string?)tag["details"]!["family"]).Should().Be("qwen3moe");
        ((string?)tag["details"]!["parameter_size"]).Should().Be("9.2M");
        ((string?)tag["details"]!["quantization_level"]).Should().Be("Q8_0");
        ((string?)shown["template"]).Should().Contain("im_start");
        ((int)shown["model_info"]!["qwen3moe.expert_count"]!).Should().Be(16);
        shown["model_info"]!.AsObject().Should().ContainKey("tokenizer.ggml.tokens").WhoseValue.Should().BeNull();
        verbose["model_info"]!["tokenizer.ggml.tokens"]!.AsArray().Should().HaveCount(3072);
        shown["capabilities"]!.AsArray().Select(item => (string?)item).Should().Contain("completion");
        ((string?)version["version"]).Should().MatchRegex(@"^\d+\.\d+\.\d+$");
    }

    [Test]
    public async Task Texts_are_embedded_as_openais_endpoint_does()
    {
        JsonNode answer = await _server.AskAsync("/api/embed", new JsonObject { ["model"] = TestServer.Demo, ["input"] = new JsonArray("a bee", "a fox") });
        JsonNode former = await _server.AskAsync("/api/embeddings", new JsonObject { ["model"] = TestServer.Demo, ["prompt"] = "a bee" });
        JsonNode shorter = await _server.AskAsync("/api/embed", new JsonObject { ["model"] = TestServer.Demo, ["input"] = "a bee", ["dimensions"] = 16 });
        JsonNode other = await _server.AskAsync("/v1/embeddings", new JsonObject { ["model"] = TestServer.Demo, ["input"] = "a bee" });

        answer["embeddings"]!.AsArray().Should().HaveCount(2);
        float[] first = Vector(answer["embeddings"]![0]!);
        first.Should().HaveCount(192).And.Equal(Vector(other["data"]![0]!["embedding"]!), (a, b) => Math.Abs(a - b) < 1e-4);
        Vector(former["embedding"]!).Should().Equal(first, (a, b) => Math.Abs(a - b) < 1e-4);
        Vector(shorter["embeddings"]![0]!).Should().HaveCount(16);
        Vector(shorter["embeddings"]![0]!).Sum(value => value * value).Should().BeApproximately(1, 1e-3f);
        ((int)answer["prompt_eval_count"]!).Should().BePositive();
    }

    [Test]
    public async Task Long_text_is_cut_unless_that_is_not_wanted()
    {
        var body = new JsonObject { ["model"] = TestServer.Demo, ["input"] = string.Join(' ', Enumerable.Repeat("bee", 2000)) };
        JsonNode cut = await _server.AskAsync("/api/embed", body.DeepClone());
        body["truncate"] = false;
        using HttpResponseMessage refused = await _server.PostAsync("/api/embed", body);

        ((int)cut["prompt_eval_count"]!).Should().Be(512);
        refused.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [TestCase("/api/chat", """{"model":"nothing","messages":[{"role":"user","content":"Hi"}]}""", 404, "nothing")]
    [TestCase("/api/chat", """{"messages":[{"role":"user","content":"Hi"}]}""", 400, "'model'")]
    [TestCase("/api/chat", """{"model":"tiny-moe","messages":[{"role":"user","content":5}]}""", 400, "messages[0].content")]
    [TestCase("/api/chat", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi","images":["AAAA"]}]}""", 400, "images")]
    [TestCase("/api/chat", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"format":"xml"}""", 400, "'format'")]
    [TestCase("/api/chat", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"options":{"temperature":"warm"}}""", 400, "options.temperature")]
    [TestCase("/api/chat", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"keep_alive":"soon"}""", 400, "'keep_alive'")]
    [TestCase("/api/chat", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"think":"a lot"}""", 400, "'think'")]
    [TestCase("/api/generate", """{"model":"tiny-moe","prompt":"Hi","suffix":"there"}""", 400, "'suffix'")]
    [TestCase("/api/generate", """{"model":"tiny-moe","prompt":"Hi","context":[1,2]}""", 400, "'context'")]
    [TestCase("/api/generate", """{"model":"tiny-moe","prompt":"Hi","template":"{{ .Prompt }}"}""", 400, "'template'")]
    [TestCase("/api/embed", """{"model":"tiny-moe"}""", 400, "'input'")]
    [TestCase("/api/show", """{"model":"nothing"}""", 404, "nothing")]
    [TestCase("/api/show", """{}""", 400, "'model'")]
    [TestCase("/api/chat", """{"model":""", 400, "JSON")]
    public async Task Wrong_request_is_refused_with_a_text(string path, string body, int status, string word)
    {
        using HttpResponseMessage response = await _server.Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

        ((int)response.StatusCode).Should().Be(status);
        ((string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]).Should().Contain(word);
    }

    private static float[] Vector(JsonNode array) => [.. array.AsArray().Select(value => (float)value!)];

    private static JsonObject Chat(string question, bool? stream)
    {
        var body = new JsonObject
        {
            ["model"] = TestServer.Demo,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
            ["options"] = new JsonObject { ["temperature"] = 0, ["num_predict"] = 24 },
        };
        if (stream is not null)
        {
            body["stream"] = stream;
        }

        return body;
    }

    private static JsonObject Streamed(JsonObject body)
    {
        var copy = (JsonObject)body.DeepClone();
        copy["stream"] = true;
        return copy;
    }

    private static async Task<JsonNode> GetAsync(TestServer server, string path) => JsonNode.Parse(await server.Http.GetStringAsync(path))!;

    private async Task<List<JsonNode>> LinesAsync(string path, JsonObject body, TestServer? server = null)
    {
        using HttpResponseMessage response = await (server ?? _server).SendAsync(path, body);
        string text = await response.Content.ReadAsStringAsync();
        response.StatusCode.Should().Be(HttpStatusCode.OK, text);
        response.Content.Headers.ContentType!.MediaType.Should().Be("application/x-ndjson");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }
}
