using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class AnthropicTests
{
    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task Message_is_answered_with_the_text_of_the_other_apis_and_its_usage()
    {
        JsonNode answer = await _server.AskAsync("/v1/messages", Message("What do bees make?"));
        JsonNode other = await _server.AskAsync("/v1/chat/completions", TestServer.Chat("What do bees make?"));

        ((string?)answer["type"]).Should().Be("message");
        ((string?)answer["role"]).Should().Be("assistant");
        ((string?)answer["model"]).Should().Be(TestServer.Demo);
        ((string)answer["id"]!).Should().StartWith("msg_");
        ((string?)answer["stop_reason"]).Should().Be("end_turn");
        answer.AsObject().ContainsKey("stop_sequence").Should().BeTrue();
        answer["content"]!.AsArray().Should().ContainSingle();
        ((string?)answer["content"]![0]!["type"]).Should().Be("text");
        ((string?)answer["content"]![0]!["text"]).Should().Be((string?)other["choices"]![0]!["message"]!["content"]).And.NotBeNullOrEmpty();
        JsonNode usage = answer["usage"]!;
        ((int)usage["input_tokens"]! + (int)usage["cache_read_input_tokens"]!).Should().Be((int)other["usage"]!["prompt_tokens"]!);
        ((int)usage["output_tokens"]!).Should().Be((int)other["usage"]!["completion_tokens"]!);
    }

    [Test]
    public async Task Stream_begins_fills_and_ends_a_block_and_adds_up_to_the_answer()
    {
        JsonNode whole = await _server.AskAsync("/v1/messages", Message(TestServer.ClearQuestion, 30));
        List<(string Name, JsonNode Data)> events = await StreamAsync(Message(TestServer.ClearQuestion, 30));

        events.Select(item => item.Name).Distinct().Should().Equal(
            "message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop");
        events.Should().OnlyContain(item => (string?)item.Data["type"] == item.Name);
        string.Concat(Deltas(events, "text_delta").Select(delta => (string?)delta["text"])).Should().Be((string?)whole["content"]![0]!["text"]);
        JsonNode start = events[0].Data["message"]!;
        start["content"]!.AsArray().Should().BeEmpty();
        ((int)start["usage"]!["input_tokens"]!).Should().BePositive();
        JsonNode end = events.Single(item => item.Name == "message_delta").Data;
        ((string?)end["delta"]!["stop_reason"]).Should().Be("max_tokens");
        ((int)end["usage"]!["output_tokens"]!).Should().Be(30);
    }

    [Test]
    public async Task Stop_sequence_ends_the_answer_and_is_named()
    {
        JsonNode free = await _server.AskAsync("/v1/messages", Message(TestServer.ClearQuestion, 30));
        string text = (string)free["content"]![0]!["text"]!;
        string stop = text.Split(' ')[3];
        JsonObject body = Message(TestServer.ClearQuestion, 30);
        body["stop_sequences"] = new JsonArray("never appears", stop);

        JsonNode answer = await _server.AskAsync("/v1/messages", body);

        ((string?)answer["stop_reason"]).Should().Be("stop_sequence");
        ((string?)answer["stop_sequence"]).Should().Be(stop);
        ((string?)answer["content"]![0]!["text"]).Should().Be(text[..text.IndexOf(stop, StringComparison.Ordinal)]);
    }

    [Test]
    public async Task Required_tool_is_called_with_arguments_of_its_schema([Values("any", "tool")] string choice)
    {
        await using TestServer server = await CallingModel.StartAsync();
        JsonObject body = WithTool(Message("What is the weather in Oslo?", 1000), choice);
        body["model"] = server.Models.List()[0].Entry.Name;
        body.Remove("temperature");

        JsonNode answer = await server.AskAsync("/v1/messages", body.DeepClone());
        List<(string Name, JsonNode Data)> events = await StreamAsync(body, server);

        ((string?)answer["stop_reason"]).Should().Be("tool_use", "of {0}", answer);
        JsonNode call = answer["content"]!.AsArray().Single(block => (string?)block!["type"] == "tool_use")!;
        ((string?)call["name"]).Should().Be("get_weather");
        ((string?)call["id"]).Should().NotBeNullOrEmpty();
        ((string?)call["input"]!["city"]).Should().BeOneOf("Oslo", "Rome");
        JsonNode begun = events.Single(item => (string?)item.Data["content_block"]?["type"] == "tool_use").Data["content_block"]!;
        ((string?)begun["name"]).Should().Be("get_weather");
        begun["input"]!.AsObject().Should().BeEmpty();
        JsonNode.DeepEquals(JsonNode.Parse(string.Concat(Deltas(events, "input_json_delta").Select(delta => (string?)delta["partial_json"]))), call["input"]).Should().BeTrue();
        ((string?)events.Single(item => item.Name == "message_delta").Data["delta"]!["stop_reason"]).Should().Be("tool_use");
    }

    [Test]
    public async Task Chat_with_blocks_and_results_of_tools_is_answered()
    {
        JsonObject body = WithTool(Message("unused"), "auto");
        body["system"] = new JsonArray(Text("Be brief."), Text("Be kind."));
        body["messages"] = new JsonArray(
            Said("user", Text("What is the weather in Oslo?")),
            Said("assistant", Text("I ask."), new JsonObject
            {
                ["type"] = "tool_use",
                ["id"] = "toolu_1",
                ["name"] = "get_weather",
                ["input"] = new JsonObject { ["city"] = "Oslo" },
            }),
            Said(
                "user",
                new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = "toolu_1", ["content"] = new JsonArray(Text("sunny")), ["is_error"] = false },
                Text("So?")));

        JsonNode answer = await _server.AskAsync("/v1/messages", body);

        ((int)answer["usage"]!["output_tokens"]!).Should().BePositive();
    }

    [Test]
    public async Task Tokens_are_counted_as_the_answer_counts_them()
    {
        JsonObject body = Message("What do bees make?");
        body["system"] = "You know animals.";
        JsonNode answer = await _server.AskAsync("/v1/messages", body.DeepClone());
        body.Remove("max_tokens");

        JsonNode count = await _server.AskAsync("/v1/messages/count_tokens", body);

        ((int)count["input_tokens"]!).Should().Be((int)answer["usage"]!["input_tokens"]! + (int)answer["usage"]!["cache_read_input_tokens"]!);
    }

    [Test]
    public async Task Thinking_comes_as_a_block_of_its_own_where_it_was_asked_for([Values] bool asked)
    {
        await using TestServer server = await TestServer.StartAsync(
            options =>
            {
                options.Models.Context = options.Models.Context with { ContextLength = 2048 };
                string thought = asked ? "\"<think>\\n\" [a-z ]{8,12} \"</think>\\n\\n\" " : string.Empty;
                options.Requests.Sampling = SamplingOptions.Greedy with { Grammar = $"root ::= {thought}[A-Z ]{{8,12}}" };
            },
            RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));
        JsonObject body = Message("Hi", 60);
        body["model"] = server.Models.List()[0].Entry.Name;
        body.Remove("temperature");
        if (asked)
        {
            body["thinking"] = new JsonObject { ["type"] = "enabled", ["budget_tokens"] = 1024 };
        }

        JsonNode answer = await server.AskAsync("/v1/messages", body.DeepClone());
        List<(string Name, JsonNode Data)> events = await StreamAsync(body, server);

        string[] types = [.. answer["content"]!.AsArray().Select(block => (string)block!["type"]!)];
        types.Should().Equal(asked ? ["thinking", "text"] : ["text"]);
        events.Where(item => item.Name == "content_block_start").Select(item => (string)item.Data["content_block"]!["type"]!).Should().Equal(types);
        events.Where(item => item.Name == "content_block_stop").Select(item => (int)item.Data["index"]!).Should().Equal(Enumerable.Range(0, types.Length));
        string.Concat(Deltas(events, "text_delta").Select(delta => (string?)delta["text"])).Should().MatchRegex("^[A-Z ]+$")
            .And.Be((string?)answer["content"]![types.Length - 1]!["text"]);
        int prompt = (int)events[0].Data["message"]!["usage"]!["input_tokens"]!;
        body.Remove("thinking");
        ((int)(await server.AskAsync("/v1/messages/count_tokens", body))["input_tokens"]! > prompt).Should().Be(asked, "this template tells the model where it shall not think");
        if (asked)
        {
            string.Concat(Deltas(events, "thinking_delta").Select(delta => (string?)delta["thinking"])).Should().MatchRegex("^[a-z ]+$")
                .And.Be((string?)answer["content"]![0]!["thinking"]);
            Deltas(events, "signature_delta").Should().ContainSingle();
        }
    }

    [TestCase("""{"messages":[{"role":"user","content":"Hi"}],"max_tokens":5}""", 400, "invalid_request_error", "'model'")]
    [TestCase("""{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}]}""", 400, "invalid_request_error", "'max_tokens'")]
    [TestCase("""{"model":"tiny-moe","max_tokens":0,"messages":[{"role":"user","content":"Hi"}]}""", 400, "invalid_request_error", "'max_tokens'")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5,"messages":[]}""", 400, "invalid_request_error", "'messages'")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5,"messages":"Hi"}""", 400, "invalid_request_error", "'messages'")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5,"messages":[{"role":"owner","content":"Hi"}]}""", 400, "invalid_request_error", "messages[0].role")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{}}]}]}""", 400, "invalid_request_error", "messages[0].content[0].type")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5,"messages":[{"role":"user","content":"Hi"}],"tool_choice":{"type":"tool","name":"nothing"}}""", 400, "invalid_request_error", "tool_choice")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5,"temperature":"warm","messages":[{"role":"user","content":"Hi"}]}""", 400, "invalid_request_error", "'temperature'")]
    [TestCase("""{"model":"tiny-moe","max_tokens":5,"thinking":{"type":"perhaps"},"messages":[{"role":"user","content":"Hi"}]}""", 400, "invalid_request_error", "thinking.type")]
    [TestCase("""{"model":"nothing","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}""", 404, "not_found_error", "nothing")]
    [TestCase("""{"model":"../../etc/passwd","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}""", 404, "not_found_error", "passwd")]
    [TestCase("""{"model":""", 400, "invalid_request_error", "JSON")]
    [TestCase("[]", 400, "invalid_request_error", "object")]
    public async Task Wrong_request_is_refused_in_anthropics_shape(string body, int status, string type, string word)
    {
        using HttpResponseMessage response = await _server.Http.PostAsync("/v1/messages", new StringContent(body, Encoding.UTF8, "application/json"));

        JsonNode answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        ((int)response.StatusCode).Should().Be(status);
        ((string?)answer["type"]).Should().Be("error");
        ((string?)answer["error"]!["type"]).Should().Be(type);
        ((string?)answer["error"]!["message"]).Should().Contain(word);
        ((string?)answer["request_id"]).Should().NotBeNullOrEmpty();
    }

    [Test]
    public async Task Client_that_leaves_ends_its_answer()
    {
        JsonObject body = Message("Tell me a story.", 400);
        body["stream"] = true;
        using (HttpResponseMessage response = await _server.SendAsync("/v1/messages", body))
        {
            response.StatusCode.Should().Be(HttpStatusCode.OK);
        }

        await Wait.Until(() => _server.Statistics.RunningCount == 0);
    }

    private static JsonObject Message(string question, int maxTokens = 24) => new()
    {
        ["model"] = TestServer.Demo,
        ["max_tokens"] = maxTokens,
        ["temperature"] = 0,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
    };

    private static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };

    private static JsonObject Said(string role, params JsonNode[] blocks) => new() { ["role"] = role, ["content"] = new JsonArray(blocks) };

    private static JsonObject WithTool(JsonObject body, string choice)
    {
        body["tools"] = JsonNode.Parse("""
            [{"name":"get_weather","description":"Tells the weather","input_schema":
              {"type":"object","properties":{"city":{"type":"string","enum":["Oslo","Rome"]}},"required":["city"],"additionalProperties":false}}]
            """);
        body["tool_choice"] = choice == "tool" ? new JsonObject { ["type"] = choice, ["name"] = "get_weather" } : new JsonObject { ["type"] = choice };
        body["tool_choice"]!["disable_parallel_tool_use"] = true;
        return body;
    }

    private static IEnumerable<JsonNode> Deltas(List<(string Name, JsonNode Data)> events, string type) =>
        events.Where(item => item.Name == "content_block_delta" && (string?)item.Data["delta"]!["type"] == type).Select(item => item.Data["delta"]!);

    private async Task<List<(string Name, JsonNode Data)>> StreamAsync(JsonObject body, TestServer? server = null)
    {
        body["stream"] = true;
        using HttpResponseMessage response = await (server ?? _server).SendAsync("/v1/messages", body);
        string text = await response.Content.ReadAsStringAsync();
        response.StatusCode.Should().Be(HttpStatusCode.OK, text);
        return
        [
            .. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(item => !item.StartsWith(':')).Select(item =>
            {
                string[] lines = item.Split('\n');
                lines.Should().HaveCount(2);
                lines[0].Should().StartWith("event: ");
                lines[1].Should().StartWith("data: ");
                return (lines[0]["event: ".Length..], JsonNode.Parse(lines[1]["data: ".Length..])!);
            }),
        ];
    }
}
