using System.Globalization;
using System.Text.Json.Nodes;

namespace MoeOffload.Server.Tests;

/// <summary>Creates requests that are well formed and ask for as much work or memory as they can, which are the same for the same seed.</summary>
internal sealed class Bombs(int seed)
{
    private static readonly string[] s_patterns =
    [
        "^(a+)+$", "^(a|a)*b$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "^((a{1,100}){1,100}){1,100}$", "(?=(a+))a*b\\\\1", "^(?:(?:(?:a?){50}){50})$", "\\\\p{L}{1000}", "[^\\u0000-\\uffff]", "(((((((((((a*)*)*)*)*)*)*)*)*)*)*)",
    ];

    private static readonly string[] s_paths = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/api/chat", "/api/generate"];

    private readonly Random _random = new(seed);

    /// <summary>Creates the next request.</summary>
    public (string Path, string Body) Next()
    {
        string path = s_paths[_random.Next(s_paths.Length)];
        return _random.Next(12) switch
        {
            0 => ("/v1/chat/completions", Chat("grammar", JsonValue.Create(Grammar()))),
            1 => ("/v1/completions", Prompt("grammar", JsonValue.Create(Grammar()))),
            2 or 3 or 4 => (path, WithSchema(path, Schema())),
            5 => ("/v1/chat/completions", Chat("tools", Tools())),
            6 => ("/api/chat", $$$"""{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"stream":false,"options":{"num_predict":1,"num_ctx":{{{Number()}}}}}"""),
            7 => ("/v1/chat/completions", Chat("stop", new JsonArray([.. Enumerable.Range(0, _random.Next(1, 64)).Select(index => JsonValue.Create(new string('a', _random.Next(1, 2000)) + index))]))),
            8 => ("/v1/chat/completions", Chat("logit_bias", Biases())),
            9 => ("/v1/completions", Prompt("dry_sequence_breakers", new JsonArray([.. Enumerable.Range(0, 200).Select(index => JsonValue.Create(new string((char)('a' + (index % 26)), 200)))]), "\"dry_multiplier\":1,")),
            10 => Text(),
            _ => ("/v1/chat/completions", Messages()),
        };
    }

    private string Number() => _random.Next(4) switch
    {
        0 => "2147483647",
        1 => "1",
        2 => "0",
        _ => _random.Next().ToString(CultureInfo.InvariantCulture),
    };

    private string Grammar() => _random.Next(8) switch
    {
        0 => $"root ::= \"a\"{{{_random.Next(1, 2_000_000_000)}}}",
        1 => $"root ::= {string.Concat(Enumerable.Repeat("(", _random.Next(10, 5000)))}\"a\"",
        2 => $"root ::= {string.Concat(Enumerable.Repeat("(", 60))}\"a\"{string.Concat(Enumerable.Repeat("){2,9}", 60))}",
        3 => "root ::= root \"a\" | \"a\"",
        4 => "root ::= a\na ::= b\nb ::= a",
        5 => string.Join('\n', Enumerable.Range(0, _random.Next(10, 3000)).Select(index => $"{(index == 0 ? "root" : $"r{index}")} ::= r{index + 1} r{index + 1}")) + $"\nr{_random.Next(3000)} ::= \"a\"",
        6 => $"root ::= [{string.Concat(Enumerable.Range(0, 3000).Select(index => (char)(0x4E00 + index)))}]*",
        _ => $"root ::= {string.Join(" | ", Enumerable.Range(0, _random.Next(10, 2000)).Select(index => $"\"{new string('a', index % 50)}\""))}",
    };

    private string Schema() => _random.Next(12) switch
    {
        0 => $$"""{"type":"string","pattern":"{{s_patterns[_random.Next(s_patterns.Length)]}}"}""",
        1 => $$"""{"type":"string","minLength":{{Number()}},"maxLength":{{Number()}}}""",
        2 => $$"""{"type":"array","minItems":{{Number()}},"items":{"type":"array","minItems":{{Number()}},"items":{"enum":[1,2]} } }""",
        3 => $$"""{"type":"number","minimum":{{Number()}}.5,"multipleOf":0.{{_random.Next(1, 1_000_000)}}}""",
        4 => $$"""{"enum":[{{string.Join(',', Enumerable.Range(0, _random.Next(1, 5000)))}}],"uniqueItems":true}""",
        5 => Nested("""{"type":"object","properties":{"a":""", "}}"),
        6 => Nested("""{"anyOf":[{"type":"integer"},""", "]}"),
        7 => Nested("""{"not":""", "}"),
        8 => """{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},"b":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}}}""",
        9 => $$$"""{"type":"object","patternProperties":{ {{{string.Join(',', Enumerable.Range(0, 6).Select(index => $"\"{s_patterns[index % s_patterns.Length]}{index}\":{{\"type\":\"integer\"}}"))}}} },"minProperties":{{{Number()}}} }""",
        10 => $$"""{"oneOf":[{{string.Join(',', Enumerable.Range(0, 40).Select(index => $$$"""{"type":"object","properties":{"a{{{index}}}":{"type":"integer"}},"required":["a{{{index}}}"]}"""))}}]}""",
        _ => $$$"""{"type":"object","properties":{ {{{string.Join(',', Enumerable.Range(0, _random.Next(1, 800)).Select(index => $"\"p{index}\":{{\"type\":\"string\"}}"))}}} }}""",
    };

    private string Nested(string before, string after)
    {
        int depth = _random.Next(1, 25);
        return $"{string.Concat(Enumerable.Repeat(before, depth))}true{string.Concat(Enumerable.Repeat(after, depth))}";
    }

    private JsonArray Tools() =>
    [
        .. Enumerable.Range(0, _random.Next(1, 4)).Select(index => new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = $"f{index}", ["description"] = new string('d', _random.Next(500)), ["parameters"] = JsonNode.Parse(Schema()) },
        }),
    ];

    private JsonObject Biases()
    {
        var biases = new JsonObject();
        for (int i = 0; i < _random.Next(1, 2000); i++)
        {
            biases[i.ToString(CultureInfo.InvariantCulture)] = _random.Next(-100, 100);
        }

        return biases;
    }

    private (string Path, string Body) Text()
    {
        string text = new((char)_random.Next('a', 'z'), _random.Next(1, 200_000));
        return _random.Next(6) switch
        {
            0 => ("/tokenize", new JsonObject { ["content"] = text, ["with_pieces"] = true }.ToJsonString()),
            1 => ("/detokenize", new JsonObject { ["tokens"] = new JsonArray([.. Enumerable.Range(0, 5000).Select(_ => JsonValue.Create(_random.Next(-5, 2000)))]) }.ToJsonString()),
            2 => ("/apply-template", Chat("chat_template_kwargs", new JsonObject { ["a"] = text })),
            3 => ("/infill", new JsonObject { ["input_prefix"] = text, ["input_suffix"] = text, ["n_predict"] = 1 }.ToJsonString()),
            4 => ("/v1/rerank", new JsonObject { ["query"] = text, ["documents"] = new JsonArray(text, "b") }.ToJsonString()),
            _ => ("/api/embed", new JsonObject { ["model"] = TestServer.Demo, ["input"] = new JsonArray(text[..Math.Min(text.Length, 2000)], "b") }.ToJsonString()),
        };
    }

    private string Messages()
    {
        string[] roles = ["system", "developer", "user", "assistant", "tool"];
        var messages = new JsonArray();
        for (int i = 0; i < _random.Next(1, 300); i++)
        {
            string role = roles[_random.Next(roles.Length)];
            var message = new JsonObject { ["role"] = role, ["content"] = _random.Next(4) == 0 ? string.Empty : "a" };
            if (role == "tool")
            {
                message["tool_call_id"] = $"c{_random.Next(5)}";
            }
            else if (role == "assistant" && _random.Next(2) == 0)
            {
                message["tool_calls"] = JsonNode.Parse($$$"""[{"id":"c{{{_random.Next(5)}}}","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]""");
            }

            messages.Add(message);
        }

        return new JsonObject { ["model"] = TestServer.Demo, ["messages"] = messages, ["max_tokens"] = 1 }.ToJsonString();
    }

    private static string Chat(string name, JsonNode value) => new JsonObject
    {
        ["model"] = TestServer.Demo,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" }),
        ["max_tokens"] = 2,
        [name] = value,
    }.ToJsonString();

    private static string Prompt(string name, JsonNode value, string others = "") =>
        $$"""{"model":"tiny-moe","prompt":"Hi","max_tokens":2,{{others}}"{{name}}":{{value.ToJsonString()}}}""";

    private static string WithSchema(string path, string schema)
    {
        const string Messages = """ "messages":[{"role":"user","content":"Hi"}] """;
        return path switch
        {
            "/v1/completions" => $$"""{"model":"tiny-moe","prompt":"Hi","max_tokens":4,"guided_json":{{schema}} }""",
            "/v1/responses" => $$$"""{"model":"tiny-moe","input":"Hi","max_output_tokens":4,"text":{"format":{"type":"json_schema","name":"a","schema":{{{schema}}} } } }""",
            "/v1/messages" => $$$"""{"model":"tiny-moe",{{{Messages}}},"max_tokens":4,"output_config":{"format":{"type":"json_schema","schema":{{{schema}}} } } }""",
            "/api/chat" => $$$"""{"model":"tiny-moe",{{{Messages}}},"stream":false,"options":{"num_predict":4},"format":{{{schema}}} }""",
            "/api/generate" => $$$"""{"model":"tiny-moe","prompt":"Hi","raw":true,"stream":false,"options":{"num_predict":4},"format":{{{schema}}} }""",
            _ => $$$$"""{"model":"tiny-moe",{{{{Messages}}}},"max_tokens":4,"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":{{{{(schema.Length % 2 == 0 ? "true" : "false")}}}},"schema":{{{{schema}}}} } } }""",
        };
    }
}
