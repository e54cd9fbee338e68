using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Schemas of answers as clients send them: strict ones are held or refused, and of others the rest is said and checked.</summary>
[TestFixture]
public sealed class SchemaTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Responses = "/v1/responses";
    private const string Messages = "/v1/messages";
    private const string Ollama = "/api/chat";
    private const string Unenforced = "x-moe-schema-unenforced";

    // No grammar holds a back-reference.
    private const string Repetition = """{"type":"object","properties":{"word":{"type":"string","pattern":"^([ab])\\1$","maxLength":4}},"required":["word"],"additionalProperties":false}""";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task Start() => _server = await TestServer.StartAsync(options =>
    {
        options.Models.Context = options.Models.Context with { ContextLength = 2048 };
        options.Requests.LogPrompts = true;
    });

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [TestCase("""{"type":"number","minimum":0,"maximum":1}""", Chat, true)]
    [TestCase("""{"type":"number","minimum":0,"maximum":1}""", Chat, false)]
    [TestCase("""{"type":"number","minimum":0,"maximum":1}""", Responses, true)]
    [TestCase("""{"type":"number","minimum":0,"maximum":1}""", Messages, null)]
    [TestCase("""{"type":"number","minimum":0,"maximum":100,"multipleOf":0.5}""", Chat, null)]
    [TestCase("""{"type":"number","minimum":10,"maximum":35,"multipleOf":0.5}""", Ollama, null)]
    public async Task Number_keeps_its_bounds(string schema, string path, bool? strict)
    {
        double number = (double)JsonNode.Parse(await AnswerAsync(path, Object("score", schema), strict))!["score"]!;
        JsonNode bounds = JsonNode.Parse(schema)!;
        number.Should().BeInRange((double)bounds["minimum"]!, (double)bounds["maximum"]!);
        if (bounds["multipleOf"] is { } factor)
        {
            (number / (double)factor % 1).Should().Be(0);
        }
    }

    [TestCase("email", @"^[^@\s]+@[^@\s]+$")]
    [TestCase("uri", @"^[A-Za-z][A-Za-z0-9+.-]*:")]
    [TestCase("ipv4", @"^\d{1,3}(\.\d{1,3}){3}$")]
    [TestCase("uuid", @"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
    [TestCase("date", @"^\d{4}-\d\d-\d\d$")]
    public async Task Text_keeps_its_format(string format, string pattern)
    {
        // A model of a few words does not end texts of itself.
        string schema = Object("text", $$"""{"type":"string","format":"{{format}}","maxLength":36}""");
        ((string)JsonNode.Parse(await AnswerAsync(Chat, schema, strict: null))!["text"]!).Should().MatchRegex(pattern);
    }

    [Test]
    public async Task Union_with_a_discriminator_is_one_of_its_kinds([Values] bool strict)
    {
        const string Schema = """
            {"type":"object","properties":{"pet":{"discriminator":{"propertyName":"kind"},"oneOf":[
              {"type":"object","properties":{"kind":{"const":"cat"},"lives":{"type":"integer","minimum":1,"maximum":9}},"required":["kind","lives"],"additionalProperties":false},
              {"type":"object","properties":{"kind":{"const":"dog"},"tricks":{"type":"integer","minimum":0,"maximum":99}},"required":["kind","tricks"],"additionalProperties":false}]}},
             "required":["pet"],"additionalProperties":false}
            """;
        JsonNode pet = JsonNode.Parse(await AnswerAsync(Chat, Schema, strict))!["pet"]!;
        pet[(string)pet["kind"]! == "cat" ? "lives" : "tricks"].Should().NotBeNull();
    }

    [TestCase(Chat)]
    [TestCase(Responses)]
    [TestCase(Messages)]
    [TestCase(Ollama)]
    public async Task Schema_without_conditions_gives_any_json(string path) =>
        FluentActions.Invoking(() => JsonNode.Parse(AnswerAsync(path, "{}", strict: null).GetAwaiter().GetResult())).Should().NotThrow();

    [TestCase(Chat)]
    [TestCase(Responses)]
    public async Task Strict_schema_that_cannot_be_held_is_refused(string path)
    {
        (int status, JsonNode error) = await _server.FailAsync(path, Request(path, Repetition, strict: true));
        status.Should().Be(400);
        ((string?)error["code"]).Should().Be("invalid_json_schema");
        ((string?)error["message"]).Should().Contain("pattern");
    }

    [Test]
    public async Task What_the_grammar_does_not_hold_is_said_checked_and_told([Values(Chat, Responses, Messages, Ollama)] string path, [Values] bool stream)
    {
        _server.Log.Lines.Clear();
        JsonObject request = Request(path, Repetition, strict: path is Chat or Responses ? false : null);
        request["stream"] = stream;
        using HttpResponseMessage response = await _server.PostAsync(path, request);
        string text = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.Should().BeTrue(text);
        response.Headers.GetValues(Unenforced).Single().Should().Be("#/properties/word/pattern");
        _server.Log.Lines.Single(line => line.Text.StartsWith("Prompt", StringComparison.Ordinal)).Text.Should().Contain(@"^([ab])\\1$");

        JsonNode check = Find(Parts(text, path, stream), "schema_check").Single();
        string answer = Content(Parts(text, path, stream), path);
        bool isValid = answer is """{"word":"aa"}""" or """{"word":"bb"}""";
        ((bool)check["valid"]!).Should().Be(isValid, answer);
        check["unenforced"]!.AsArray().Select(item => (string)item!).Should().Equal("#/properties/word/pattern");
        check["violations"]!.AsArray().Should().HaveCount(isValid ? 0 : 1);
    }

    [TestCase(Chat)]
    [TestCase(Responses)]
    [TestCase(Messages)]
    [TestCase(Ollama)]
    public async Task Schema_that_is_held_completely_is_not_mentioned(string path)
    {
        _server.Log.Lines.Clear();
        using HttpResponseMessage response = await _server.PostAsync(path, Request(path, Object("score", """{"enum":["low","high"]}"""), strict: null));
        response.Headers.Contains(Unenforced).Should().BeFalse();
        (await response.Content.ReadAsStringAsync()).Should().NotContain("schema_check");
        _server.Log.Lines.Single(line => line.Text.StartsWith("Prompt", StringComparison.Ordinal)).Text.Should().NotContain("score");
    }

    [Test]
    public async Task Completion_with_a_schema_is_checked_too([Values] bool stream)
    {
        JsonObject request = new() { ["model"] = TestServer.Demo, ["prompt"] = "A word:", ["max_tokens"] = 60, ["temperature"] = 0, ["stream"] = stream, ["guided_json"] = JsonNode.Parse(Repetition) };
        using HttpResponseMessage response = await _server.PostAsync("/v1/completions", request);
        response.Headers.Contains(Unenforced).Should().BeTrue();
        Find(Parts(await response.Content.ReadAsStringAsync(), "/v1/completions", stream), "schema_check").Should().ContainSingle();
    }

    // Rows of schemas that agents send for tools: each is an answer, and none is a reason to refuse the request.
    [TestCase("""{"type":"object","properties":{"x":true}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"type":"array","items":true}}}""")]
    [TestCase("""{"type":"object","properties":{"node":{"$ref":"#"}}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"type":"string","minLength":2.0}}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"type":"string"}},"required":null}""")]
    [TestCase("""{"type":"object","properties":{"x":{"type":"string"}},"additionalProperties":null}""")]
    [TestCase("""{"type":"object","properties":{"x":{"type":"array","items":null}}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"$ref":"https://example.org/schema.json"}}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"$ref":"#anchor"}},"$defs":{"a":{"$anchor":"anchor","type":"string"}}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"$ref":"#/$defs/a~1b"}},"$defs":{"a/b":{"type":"string"}}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"$ref":"#/$defs/a%25b"}},"$defs":{"a%b":{"type":"string"}}}""")]
    [TestCase("""{"type":"object","properties":{"x":{"type":"array","prefixItems":[]}}}""")]
    [TestCase("null")]
    [TestCase("true")]
    [TestCase("{}")]
    public async Task Schema_of_a_tool_never_fails_a_request(string parameters)
    {
        foreach (string choice in (string[])["auto", "required"])
        {
            foreach (string path in (string[])[Chat, Responses, Messages, Ollama])
            {
                JsonObject request = Request(path, schema: null, strict: null);
                string function = $$"""{"name":"f","description":"d","{{(path == Messages ? "input_schema" : "parameters")}}":{{parameters}}}""";
                if (path == Messages && parameters == "null")
                {
                    continue;
                }

                JsonObject tool = path switch
                {
                    Messages => JsonNode.Parse(function)!.AsObject(),
                    Responses => With(JsonNode.Parse(function)!.AsObject(), "type", "function"),
                    _ => new JsonObject { ["type"] = "function", ["function"] = JsonNode.Parse(function) },
                };
                request["tools"] = new JsonArray(tool);
                request[path switch { Responses => "max_output_tokens", Ollama => "unused", _ => "max_tokens" }] = 8;
                if (path != Ollama)
                {
                    request["tool_choice"] = path == Messages ? new JsonObject { ["type"] = choice == "auto" ? "auto" : "any" } : choice;
                }

                using HttpResponseMessage response = await _server.PostAsync(path, request);
                string text = await response.Content.ReadAsStringAsync();

                // The template of the demo model knows no tools, which a required call is told.
                (response.IsSuccessStatusCode || (choice == "required" && text.Contains("template", StringComparison.Ordinal))).Should().BeTrue($"{path} {choice}: {text}");
            }
        }
    }

    private static JsonObject With(JsonObject fields, string name, string value)
    {
        fields[name] = value;
        return fields;
    }

    private static string Object(string name, string schema) =>
        $$"""{"type":"object","properties":{"{{name}}":{{schema}}},"required":["{{name}}"],"additionalProperties":false}""";

    private async Task<string> AnswerAsync(string path, string schema, bool? strict)
    {
        JsonNode answer = await _server.AskAsync(path, Request(path, schema, strict));
        return Content([answer], path);
    }

    private static JsonObject Request(string path, string? schema, bool? strict)
    {
        JsonObject request = new() { ["model"] = TestServer.Demo, ["stream"] = false };
        JsonNode? parsed = schema is null ? null : JsonNode.Parse(schema);
        var question = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "What do bees make?" });
        switch (path)
        {
            case Chat:
                request["messages"] = question;
                request["max_tokens"] = 200;
                request["temperature"] = 0;
                request["response_format"] = parsed is null ? null : new JsonObject { ["type"] = "json_schema", ["json_schema"] = Named(new JsonObject()) };
                break;
            case Responses:
                request["input"] = question;
                request["max_output_tokens"] = 200;
                request["temperature"] = 0;
                request["text"] = parsed is null ? null : new JsonObject { ["format"] = Named(new JsonObject { ["type"] = "json_schema" }) };
                break;
            case Messages:
                request["messages"] = question;
                request["max_tokens"] = 200;
                request["temperature"] = 0;
                request["output_config"] = parsed is null ? null : new JsonObject { ["format"] = new JsonObject { ["type"] = "json_schema", ["schema"] = parsed } };
                break;
            default:
                request["messages"] = question;
                request["options"] = new JsonObject { ["num_predict"] = 200, ["temperature"] = 0 };
                request["format"] = parsed;
                break;
        }

        return request;

        JsonObject Named(JsonObject format)
        {
            format["name"] = "answer";
            format["schema"] = parsed;
            if (strict is { } isStrict)
            {
                format["strict"] = isStrict;
            }

            return format;
        }
    }

    private static JsonNode[] Parts(string text, string path, bool stream) => !stream ? [JsonNode.Parse(text)!]
        : path == Ollama ? [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)]
        : [.. text.Split('\n').Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line[6..])!)];

    private static string Content(JsonNode[] parts, string path) => path switch
    {
        Chat => string.Concat(parts.SelectMany(part => part["choices"]!.AsArray()).Select(choice => (string?)(choice!["delta"] ?? choice["message"])!["content"])),
        Responses => (string)(parts[^1]["response"] ?? parts[^1])["output"]![0]!["content"]![0]!["text"]!,
        Messages => string.Concat(parts.Select(part => (string?)part["content"]?[0]?["text"] ?? (string?)part["delta"]?["text"])),
        _ => string.Concat(parts.Select(part => (string?)part["message"]!["content"])),
    };

    private static IEnumerable<JsonNode> Find(IEnumerable<JsonNode?> nodes, string name)
    {
        foreach (JsonNode? node in nodes)
        {
            switch (node)
            {
                case JsonObject fields:
                    if (fields.TryGetPropertyValue(name, out JsonNode? found) && found is not null)
                    {
                        yield return found;
                    }

                    foreach (JsonNode inner in Find(fields.Where(field => field.Key != name).Select(field => field.Value), name))
                    {
                        yield return inner;
                    }

                    break;
                case JsonArray items:
                    foreach (JsonNode inner in Find(items, name))
                    {
                        yield return inner;
                    }

                    break;
                default:
                    break;
            }
        }
    }
}
