using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class ResponseTests
{
    private const string Path = "/v1/responses";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await TestServer.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task Response_is_what_a_chat_answers()
    {
        JsonNode chat = await _server.AskAsync("/v1/chat/completions", TestServer.Chat("What do bees make?"));
        JsonNode response = await _server.AskAsync(Path, Request("What do bees make?"));

        ((string)response["object"]!).Should().Be("response");
        ((string)response["status"]!).Should().Be("completed");
        JsonNode item = response["output"]!.AsArray().Single()!;
        ((string)item["type"]!).Should().Be("message");
        ((string)item["content"]![0]!["text"]!).Should().Be((string)chat["choices"]![0]!["message"]!["content"]!);
        ((int)response["usage"]!["input_tokens"]!).Should().Be((int)chat["usage"]!["prompt_tokens"]!);
        ((int)response["usage"]!["output_tokens"]!).Should().Be((int)chat["usage"]!["completion_tokens"]!);
    }

    [Test]
    public async Task Instructions_and_turns_become_the_same_prompt_as_messages()
    {
        JsonObject chat = TestServer.Chat("-");
        chat["messages"] = JsonNode.Parse("""[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."},{"role":"user","content":"Bye"}]""");
        JsonObject request = Request("-");
        request["instructions"] = "Be brief.";
        request["input"] = JsonNode.Parse("""[{"role":"user","content":"Hi"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hello."}]},{"role":"user","content":[{"type":"input_text","text":"Bye"}]}]""");
        ((int)(await _server.AskAsync(Path, request))["usage"]!["input_tokens"]!).Should()
            .Be((int)(await _server.AskAsync("/v1/chat/completions", chat))["usage"]!["prompt_tokens"]!);
    }

    [Test]
    public async Task Stream_has_the_events_of_a_message_in_order()
    {
        JsonNode[] events = [.. (await _server.StreamAsync(Path, Request("What do bees make?"))).Select(text => JsonNode.Parse(text)!)];
        string[] types = [.. events.Select(told => (string)told["type"]!)];

        types.Distinct().Should().Equal(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed");
        events.Select(told => (int)told["sequence_number"]!).Should().Equal(Enumerable.Range(0, events.Length));
        string text = string.Concat(events.Where(told => (string)told["type"]! == "response.output_text.delta").Select(told => (string)told["delta"]!));
        ((string)events[^1]["response"]!["output"]![0]!["content"]![0]!["text"]!).Should().Be(text).And.NotBeEmpty();
        ((int)events[^1]["response"]!["usage"]!["output_tokens"]!).Should().BePositive();
    }

    [Test]
    public async Task Cut_response_is_incomplete([Values] bool stream)
    {
        JsonObject request = Request("Tell me a story.", most: 5);
        JsonNode response = stream
            ? JsonNode.Parse((await _server.StreamAsync(Path, request))[^1])!["response"]!
            : await _server.AskAsync(Path, request);
        ((string)response["status"]!).Should().Be("incomplete");
        ((string)response["incomplete_details"]!["reason"]!).Should().Be("max_output_tokens");
        ((string)response["output"]![0]!["status"]!).Should().Be("incomplete");
    }

    [Test]
    public async Task Thoughts_and_message_are_items_apart()
    {
        await using TestServer server = await TestServer.StartAsync(
            options => options.Models.Context = options.Models.Context with { ContextLength = 2048 }, RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));
        JsonObject request = Request("Hi", most: 60);
        request["model"] = server.Models.List().Single().Entry.Name;
        request["grammar"] = """root ::= "<think>\n" [a-z ]{8,12} "</think>\n\n" [A-Z ]{8,12}""";
        JsonNode[] events = [.. (await server.StreamAsync(Path, request)).Select(text => JsonNode.Parse(text)!)];
        JsonArray items = events[^1]["response"]!["output"]!.AsArray();

        items.Select(item => (string)item!["type"]!).Should().Equal("reasoning", "message");
        ((string)items[0]!["content"]![0]!["text"]!).Should().MatchRegex("^[a-z ]+$");
        ((string)items[1]!["content"]![0]!["text"]!).Should().MatchRegex("^[A-Z ]+$");
        events.Select(told => (string)told["type"]!).Should().Contain("response.reasoning_text.delta");
        ((int)events[^1]["response"]!["usage"]!["output_tokens_details"]!["reasoning_tokens"]!).Should().BePositive();
    }

    [Test]
    public async Task Tool_is_called_and_its_result_answered([Values] bool stream)
    {
        await using TestServer server = await TestServer.StartAsync(
            options => options.Models.Context = options.Models.Context with { ContextLength = 2048 },
            RealTemplates.Write(RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407"), null, null, "[TOOL_CALLS]"));
        string model = server.Models.List().Single().Entry.Name;
        using ModelLease lease = await server.Models.AcquireAsync(model);
        int begin = lease.Model.Vocabulary.Tokenize("[TOOL_CALLS]", addSpecial: false, parseSpecial: true).Single();
        JsonObject request = Request("Paint!", most: 1000);
        request["model"] = model;
        request["logit_bias"] = new JsonObject { [$"{begin}"] = 50 };
        request["tools"] = JsonNode.Parse("""[{"type":"function","name":"paint","parameters":{"type":"object","properties":{"color":{"enum":["red","blue"]}},"required":["color"],"additionalProperties":false}}]""");
        request["tool_choice"] = "required";
        request["parallel_tool_calls"] = false;
        JsonNode response = stream
            ? JsonNode.Parse((await server.StreamAsync(Path, request.DeepClone()))[^1])!["response"]!
            : await server.AskAsync(Path, request);
        JsonNode call = response["output"]!.AsArray().Single(item => (string)item!["type"]! == "function_call")!;
        ((string)call["name"]!).Should().Be("paint");
        ((string)JsonNode.Parse((string)call["arguments"]!)!["color"]!).Should().BeOneOf("red", "blue");

        JsonObject second = Request("-", most: 4);
        second["model"] = model;

        // Mistral's template wants ids of nine characters.
        second["input"] = JsonNode.Parse($$$"""
            [{"role":"user","content":"Paint!"},{"type":"function_call","call_id":"abcdef123","name":"paint","arguments":{{{JsonValue.Create((string)call["arguments"]!).ToJsonString()}}}},
             {"type":"function_call_output","call_id":"abcdef123","output":"done"}]
            """);
        ((string)(await server.AskAsync(Path, second))["object"]!).Should().Be("response");
    }

    [Test]
    public async Task Format_is_followed()
    {
        JsonObject request = Request("Which color?", most: 40);
        request["text"] = JsonNode.Parse("""{"format":{"type":"json_schema","name":"color","schema":{"enum":["red","blue"]}}}""");
        JsonNode response = await _server.AskAsync(Path, request);
        ((string)response["output"]![0]!["content"]![0]!["text"]!).Trim().Should().BeOneOf("\"red\"", "\"blue\"");
    }

    [TestCase("""{"input":null}""", "missing_required_parameter")]
    [TestCase("""{"input":[]}""", "empty_array")]
    [TestCase("""{"previous_response_id":"resp_1"}""", "previous_response_not_found")]
    [TestCase("""{"conversation":"conv_1"}""", "unsupported_parameter")]
    [TestCase("""{"background":true}""", "unsupported_parameter")]
    [TestCase("""{"reasoning":{"effort":"enormous"}}""", "invalid_value")]
    public async Task Wrong_request_is_told_what_is_wrong(string changes, string code)
    {
        JsonObject request = Request("Hi");
        foreach ((string name, JsonNode? value) in JsonNode.Parse(changes)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        (int status, JsonNode error) = await _server.FailAsync(Path, request);
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be(code, error.ToJsonString());
    }

    private static JsonObject Request(string input, int most = 24) =>
        new() { ["model"] = TestServer.Demo, ["input"] = input, ["max_output_tokens"] = most, ["temperature"] = 0 };
}
