using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Tools of all kinds, and requests that force a call or combine tools with a schema.</summary>
[TestFixture]
public sealed class ToolKindTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Responses = "/v1/responses";
    private const string Messages = "/v1/messages";
    private const string Paint = """{"name":"paint","description":"Paints","parameters":{"type":"object","properties":{"color":{"enum":["red","blue"]}},"required":["color"],"additionalProperties":false}}""";

    private TestServer _server = null!;
    private TestServer _calling = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await TestServer.StartAsync(
            options => options.Models.Context = options.Models.Context with { ContextLength = 2048 },
            RealTemplates.Write(RealTemplates.Read("Qwen-Qwen3-0.6B")));
        _calling = await CallingModel.StartAsync();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _server.DisposeAsync();
        await _calling.DisposeAsync();
    }

    [TestCase(Responses, """[{"type":"web_search"},{"type":"function","name":"f","parameters":{}}]""")]
    [TestCase(Responses, """[{"type":"namespace","name":"mcp","tools":[]},{"type":"local_shell"},{"type":"image_generation"},{"type":"mcp","server_label":"x"}]""")]
    [TestCase(Responses, """[{"type":"custom","name":"patch","description":"d","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},{"type":"web_search"}]""")]
    [TestCase(Chat, """[{"type":"web_search_preview"},{"type":"function","function":{"name":"f"}}]""")]
    [TestCase(Messages, """[{"type":"web_search_20250305","name":"web_search","max_uses":5},{"name":"f","input_schema":{"type":"object"}}]""")]
    [TestCase(Messages, """[{"type":"bash_20250124","name":"bash"}]""")]
    public async Task Tool_of_another_kind_is_left_out_with_a_note(string path, string tools)
    {
        using HttpResponseMessage response = await _server.PostAsync(path, Request(path, $$$"""{"tools":{{{tools}}}}"""));
        response.IsSuccessStatusCode.Should().BeTrue(await response.Content.ReadAsStringAsync());
        response.Headers.GetValues("x-moe-ignored").Single().Should().MatchRegex(@"tools\[\d\]");
    }

    [TestCase(Responses, """{"tools":[{"type":"web_search"}],"tool_choice":"required"}""")]
    [TestCase(Responses, """{"tools":[{"type":"web_search"}],"tool_choice":{"type":"web_search"}}""")]
    [TestCase(Chat, """{"tools":[{"type":"web_search"}],"tool_choice":"required"}""")]
    [TestCase(Messages, """{"tools":[{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"tool","name":"web_search"}}""")]
    [TestCase(Messages, """{"tools":[{"type":"web_search_20250305","name":"web_search"}],"tool_choice":{"type":"any"}}""")]
    public async Task Tool_that_was_left_out_cannot_be_required(string path, string fields)
    {
        using HttpResponseMessage response = await _server.PostAsync(path, Request(path, fields));
        ((int)response.StatusCode).Should().Be(400);
        (await response.Content.ReadAsStringAsync()).Should().Contain("tool");
    }

    [Test]
    public async Task Required_call_is_the_whole_answer([Values("required", "named", "allowed")] string choice, [Values] bool stream)
    {
        JsonObject request = Request(Chat, $$$"""{"tools":[{"type":"function","function":{{{Paint}}}},{"type":"function","function":{"name":"other"}}],"parallel_tool_calls":false,"max_tokens":200}""");
        request["tool_choice"] = choice switch
        {
            "required" => "required",
            "named" => JsonNode.Parse("""{"type":"function","function":{"name":"paint"}}"""),
            _ => JsonNode.Parse("""{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"paint"}}]}}"""),
        };
        JsonNode[] choices = stream
            ? [.. (await _server.StreamAsync(Chat, request)).SkipLast(1).Select(data => JsonNode.Parse(data)!["choices"]![0]!)]
            : [(await _server.AskAsync(Chat, request))["choices"]![0]!];
        JsonNode[] messages = [.. choices.Select(item => item["delta"] ?? item["message"]!)];
        string.Concat(messages.Select(message => (string?)message["content"])).Should().BeEmpty();
        JsonNode[] calls = [.. messages.SelectMany(message => message["tool_calls"]?.AsArray() ?? []).Select(call => call!["function"]!)];

        // A model of random weights does not know when to end, so that the limit cuts the arguments.
        ((string)calls[0]["name"]!).Should().BeOneOf(choice == "required" ? ["paint", "other"] : ["paint"]);
    }

    [Test]
    public async Task Answer_with_tools_and_a_schema_is_a_call_or_follows_the_schema()
    {
        const string Fields = """{"tools":[{"type":"function","function":PAINT}],"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"enum":["yes","no"]}}},"max_tokens":200}""";
        JsonObject request = Request(Chat, Fields.Replace("PAINT", Paint, StringComparison.Ordinal));

        // This model calls because of its biases; the other one does not know the marker of a call.
        request["model"] = _calling.Models.List()[0].Entry.Name;
        JsonNode calls = (await _calling.AskAsync(Chat, request.DeepClone()))["choices"]![0]!;
        ((string?)calls["finish_reason"]).Should().Be("tool_calls");

        request["logit_bias"] = Bias("[TOOL_CALLS]");
        JsonNode answers = (await _calling.AskAsync(Chat, request))["choices"]![0]!;
        ((string)answers["message"]!["content"]!).Trim().Should().BeOneOf("\"yes\"", "\"no\"");
    }

    [Test]
    public async Task Input_of_a_custom_tool_is_a_text([Values(Chat, Responses)] string path, [Values] bool stream)
    {
        string tool = path == Chat ? """{"type":"custom","custom":{"name":"patch"}}""" : """{"type":"custom","name":"patch"}""";
        JsonObject request = Request(path, $$$"""{"tools":[{{{tool}}}],"tool_choice":"required","parallel_tool_calls":false}""");
        request["model"] = _calling.Models.List()[0].Entry.Name;
        request[path == Chat ? "max_tokens" : "max_output_tokens"] = 200;
        if (path == Responses)
        {
            JsonNode response = stream
                ? JsonNode.Parse((await _calling.StreamAsync(path, request))[^1])!["response"]!
                : await _calling.AskAsync(path, request);
            JsonNode item = response["output"]!.AsArray().Single(item => (string)item!["type"]! == "custom_tool_call")!;
            ((string)item["name"]!).Should().Be("patch");
            item["input"].Should().NotBeNull();
            item["arguments"].Should().BeNull();
            return;
        }

        JsonNode[] calls = stream
            ? [.. (await _calling.StreamAsync(path, request)).SkipLast(1).SelectMany(data => JsonNode.Parse(data)!["choices"]![0]!["delta"]!["tool_calls"]?.AsArray() ?? []).Select(call => call!)]
            : [.. (await _calling.AskAsync(path, request))["choices"]![0]!["message"]!["tool_calls"]!.AsArray().Select(call => call!)];
        ((string?)calls[0]["type"]).Should().Be("custom");
        ((string?)calls[0]["custom"]!["name"]).Should().Be("patch");
        calls[^1]["custom"]!["input"].Should().NotBeNull();
    }

    [TestCase("""{"output_config":{"format":{"type":"json_schema","schema":{"enum":["red","blue"]}}}}""")]
    [TestCase("""{"output_format":{"type":"json_schema","schema":{"enum":["red","blue"]}}}""")]
    [TestCase("""{"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"enum":["red","blue"]}}}}""")]
    public async Task Output_format_of_Anthropic_is_followed(string fields)
    {
        JsonObject request = Request(Messages, fields);
        request["max_tokens"] = 50;
        ((string)(await _server.AskAsync(Messages, request))["content"]![0]!["text"]!).Trim().Should().BeOneOf("\"red\"", "\"blue\"");
    }

    private JsonObject Bias(string token)
    {
        using ModelLease lease = _calling.Models.AcquireAsync(_calling.Models.List()[0].Entry.Name).GetAwaiter().GetResult();
        return new JsonObject { [$"{lease.Model.Vocabulary.Tokenize(token, addSpecial: false, parseSpecial: true).Single()}"] = -100 };
    }

    private JsonObject Request(string path, string fields)
    {
        JsonObject request = JsonNode.Parse(fields)!.AsObject();
        request["model"] = _server.Models.List()[0].Entry.Name;
        if (path == Responses)
        {
            request["input"] = "Paint!";
            request["max_output_tokens"] = 2;
        }
        else
        {
            request["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Paint!" });
            request["max_tokens"] ??= 2;
        }

        return request;
    }
}
