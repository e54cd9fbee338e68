using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace MoeOffload.Server.Tests;

/// <summary>Creates malicious requests, which are the same for the same seed.</summary>
internal sealed class HostileRequests(int seed)
{
    private static readonly string[] s_wrongValues =
    [
        "true", "\"x\"", "{}", "[]", "[[]]", "-1e308", "1e400", "-1e400", "123456789012345678901234567890", "{\"a\":{\"b\":[1,2,{}]}}", "[null]", "\"\\u0000\"", "0.5", "-3",
    ];

    private static readonly string[] s_names =
    [
        "../../etc/passwd", "/etc/passwd", "C:\\\\windows", "tiny-moe/..", "tiny-moe.gguf/", "\\u0000", "%00", "'; drop table models; --", "*", "tiny-moe tiny-moe", "\\ud83d\\ude00",
    ];

    // What is of the right types and still asks for nonsense; # stands for a number, @ for some text.
    private static readonly (string Path, string Field, string Value)[] s_nonsense =
    [
        ("/v1/chat/completions", "max_tokens", "-1#"),
        ("/v1/chat/completions", "n", "17#"),
        ("/v1/chat/completions", "logit_bias", """{"1#00000":1}"""),
        ("/v1/chat/completions", "response_format", Schema("[#]")),
        ("/v1/chat/completions", "tools", """[{"type":"function","function":{"name":"a","parameters":[#]}}]"""),
        ("/v1/chat/completions", "messages", """[{"role":"r#","content":"Hi"}]"""),
        ("/v1/chat/completions", "tool_choice", "\"required\""),
        ("/v1/messages", "max_tokens", "-#"),
        ("/v1/messages", "temperature", "2#"),
        ("/v1/messages", "messages", """[{"role":"r#","content":"Hi"}]"""),
        ("/v1/messages", "messages", """[{"role":"user","content":[{"type":"image","source":{"type":"base64","data":"@"}}]}]"""),
        ("/v1/messages", "messages", """[{"role":"user","content":[{"type":"tool_result"}]}]"""),
        ("/v1/messages", "tools", """[{"name":"a","input_schema":[#]}]"""),
        ("/v1/messages", "tool_choice", """{"type":"tool","name":"nobody"}"""),
        ("/v1/messages", "thinking", """{"type":"@"}"""),
        ("/v1/messages/count_tokens", "messages", "[]"),
        ("/api/chat", "messages", """[{"role":"r#","content":"Hi"}]"""),
        ("/api/chat", "messages", """[{"role":"user","content":"Hi","images":["@"]}]"""),
        ("/api/chat", "options", """{"temperature":-1#}"""),
        ("/api/chat", "options", """{"top_k":"@"}"""),
        ("/api/chat", "format", "\"@\""),
        ("/api/chat", "tools", """[{"type":"function","function":{"name":"a","parameters":[#]}}]"""),
        ("/api/chat", "keep_alive", "\"@ \""),
        ("/api/generate", "template", "\"@\""),
        ("/api/generate", "context", "[1,#]"),
        ("/api/generate", "options", """{"mirostat":3#}"""),
        ("/api/embed", "input", "[\"a\",#]"),
        ("/api/embed", "dimensions", "-#"),
        ("/api/embeddings", "prompt", "#"),
        ("/api/show", "model", "\"no-#\""),
    ];

    private readonly Random _random = new(seed);

    /// <summary>The endpoints that accept JSON, each with a valid request, and whether it accepts unknown fields.</summary>
    public static IReadOnlyList<(string Path, string Body, bool IsLenient)> Endpoints { get; } =
    [
        ("/v1/chat/completions", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"max_tokens":1,"temperature":0.5,"top_p":0.9,"n":1,"stop":["x"],"seed":1,"logprobs":true,"top_logprobs":1,"presence_penalty":0,"tools":[],"stream":false}""", false),
        ("/v1/completions", """{"model":"tiny-moe","prompt":"Hi","max_tokens":1,"temperature":0.5,"top_p":0.9,"n":1,"stop":["x"],"seed":1,"logprobs":1,"echo":true,"stream":false}""", false),
        ("/v1/responses", """{"model":"tiny-moe","input":"Hi","max_output_tokens":1,"temperature":0.5,"top_p":0.9,"instructions":"x","tools":[],"stream":false}""", false),
        ("/v1/embeddings", """{"model":"tiny-moe","input":"Hi","encoding_format":"float"}""", false),
        ("/v1/messages", """{"model":"tiny-moe","messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"system":"x","max_tokens":1,"temperature":0.5,"top_p":0.9,"top_k":5,"stop_sequences":["x"],"tools":[],"thinking":{"type":"disabled"},"stream":false}""", true),
        ("/v1/messages/count_tokens", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"system":"x","tools":[]}""", true),
        ("/api/chat", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"options":{"num_predict":1},"format":"","keep_alive":"5m","think":false,"tools":[],"stream":false}""", true),
        ("/api/generate", """{"model":"tiny-moe","prompt":"Hi","options":{"num_predict":1,"temperature":0.5},"raw":true,"system":"","keep_alive":-1,"stream":false}""", true),
        ("/api/generate", """{"model":"tiny-moe","prompt":"Hi","max_tokens":1,"temperature":0.5,"top_p":0.9,"top_k":5,"stream":false}""", true),
        ("/api/show", """{"model":"tiny-moe","verbose":false}""", true),
        ("/api/embed", """{"model":"tiny-moe","input":["Hi"],"truncate":true,"dimensions":8}""", true),
        ("/api/embeddings", """{"model":"tiny-moe","prompt":"Hi"}""", true),
        ("/tokenize", """{"model":"tiny-moe","content":"Hi","add_special":true,"with_pieces":true}""", false),
        ("/detokenize", """{"model":"tiny-moe","tokens":[1,2,3]}""", false),
        ("/apply-template", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}]}""", false),
        ("/infill", """{"model":"tiny-moe","input_prefix":"a","input_suffix":"b","n_predict":1}""", false),
        ("/v1/rerank", """{"model":"tiny-moe","query":"Hi","documents":["a","b"],"top_n":1}""", false),
    ];

    /// <summary>The next path and body. Its answer is a status from 400 to 499, unless <paramref name="mayBeRight"/> says that it might be right by chance.</summary>
    public (string Path, byte[] Body) Next(out bool mayBeRight)
    {
        (string path, string good, bool isLenient) = Endpoints[_random.Next(Endpoints.Count)];
        mayBeRight = false;
        switch (_random.Next(10))
        {
            case 0:
                return (path, Encoding.UTF8.GetBytes(good[..^_random.Next(1, good.Length)]));
            case 1:
                byte[] noise = new byte[_random.Next(1, 400)];
                _random.NextBytes(noise);
                return (path, noise);
            case 2:
                byte[] damaged = Encoding.UTF8.GetBytes(good);
                damaged[_random.Next(damaged.Length)] = (byte)_random.Next(128, 256);
                return (path, damaged);
            case 3:
                return (path, Encoding.UTF8.GetBytes(Nested(good)));
            case 4:
                mayBeRight = isLenient;
                return (path, Encoding.UTF8.GetBytes(With(good, $"unknown_{_random.Next()}", s_wrongValues[_random.Next(s_wrongValues.Length)])));
            case 5:
                return (path, Encoding.UTF8.GetBytes(With(good, "model", $"\"{s_names[_random.Next(s_names.Length)]}\"")));
            case 6:
                return (path, Encoding.UTF8.GetBytes(With(good, "model", $"\"{new string('m', _random.Next(1000, 20_000))}\"")));
            case 7:
                return (path, Encoding.UTF8.GetBytes($"{{{string.Concat(Enumerable.Repeat($"\"model\":\"tiny-moe\",", _random.Next(2, 20)))}\"a\":1}}"));
            case 8:
                mayBeRight = true;
                return (path, Encoding.UTF8.GetBytes(WithWrongValue(good)));
            default:
                return WithWrongMeaning(out mayBeRight);
        }
    }

    /// <summary>Bytes that are not a request, or an incomplete one.</summary>
    public byte[] NextRaw()
    {
        (string path, string body, _) = Endpoints[_random.Next(Endpoints.Count)];
        string head = $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        byte[] noise = new byte[_random.Next(1, 300)];
        _random.NextBytes(noise);
        string[] requests =
        [
            "GET\r\n\r\n",
            "GET / HTTP/9.9\r\n\r\n",
            $"{new string('A', 9000)} / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            $"GET /{new string('a', 9000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            $"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {new string('x', 40_000)}\r\n\r\n",
            "GET /v1/models HTTP/1.1\r\n\r\n",
            $"{head}Content-Length: -5\r\n\r\n{body}",
            $"{head}Content-Length: abc\r\n\r\n{body}",
            $"{head}Content-Length: 99999999999\r\n\r\n{body}",
            $"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n",
            $"{head}Transfer-Encoding: chunked\r\n\r\n{body.Length:x}\r\n{body}\r\nffffffffffffffff\r\n",
            $"{head}Content-Length: {body.Length}\r\nContent-Length: 3\r\n\r\n{body}",
            $"{head}Content-Length: {body.Length + 50}\r\n\r\n{body}",
            $"{head}Content-Le",
            $"POST {path} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: {body.Length}\r\n\r\n{body}",
            $"{head}Origin: https://evil.example\r\nContent-Length: {body.Length}\r\n\r\n{body}",
            $"DELETE {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET /v1/models/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET /../../../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET /%00%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET /api/models/..%2f..%2fetc%2fpasswd/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET /api/models/../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            $"GET /api/models/{new string('m', 4000)}/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "POST /api/models/%00/load HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
            "POST /api/models/tiny-moe/explode HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n",
            "DELETE /api/models/tiny-moe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET /ws/generate HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            "GET /ws/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x\r\n\r\n",
            "GET /ws/generate HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            Encoding.Latin1.GetString(noise),
        ];
        return Encoding.Latin1.GetBytes(requests[_random.Next(requests.Length)]);
    }

    /// <summary>The first frame of a WebSocket, which is not a request, or a request for nonsense.</summary>
    public byte[] NextFrame()
    {
        (_, string good, _) = Endpoints[8];
        byte[] noise = new byte[_random.Next(1, 400)];
        _random.NextBytes(noise);
        return _random.Next(6) switch
        {
            0 => Encoding.UTF8.GetBytes(good[..^_random.Next(1, good.Length)]),
            1 => noise,
            2 => Encoding.UTF8.GetBytes(Nested(good)),
            3 => Encoding.UTF8.GetBytes(With(good, "model", $"\"{s_names[_random.Next(s_names.Length)]}\"")),
            4 => Encoding.UTF8.GetBytes(With(good, "max_tokens", $"-{_random.Next(1, 1000)}")),
            _ => [],
        };
    }

    private static string With(string body, string name, string json)
    {
        JsonObject changed = JsonNode.Parse(body)!.AsObject();
        changed.Remove(name);
        string rest = changed.ToJsonString();
        return $"{{\"{name}\":{json},{rest[1..]}";
    }

    private static string Schema(string schema) => $"{{\"type\":\"json_schema\",\"json_schema\":{{\"schema\":{schema}}}}}";

    private string Nested(string good)
    {
        int depth = _random.Next(64, 3000);
        string nested = _random.Next(3) switch
        {
            0 => $"{new string('[', depth)}{new string(']', depth)}",
            1 => $"{string.Concat(Enumerable.Repeat("{\"a\":", depth))}1{new string('}', depth)}",
            _ => new string('[', depth),
        };
        string[] names = ["messages", "tools", "input", "metadata", "prompt"];
        return With(good, names[_random.Next(names.Length)], nested);
    }

    private string WithWrongValue(string good)
    {
        string[] names = [.. JsonNode.Parse(good)!.AsObject().Select(field => field.Key).Where(name => name != "model")];
        return With(good, names[_random.Next(names.Length)], s_wrongValues[_random.Next(s_wrongValues.Length)]);
    }

    private (string Path, byte[] Body) WithWrongMeaning(out bool mayBeRight)
    {
        string text = string.Concat(Enumerable.Range(0, _random.Next(1, 40)).Select(_ => (char)_random.Next(33, 126))).Replace("\\", "/", StringComparison.Ordinal).Replace("\"", "'", StringComparison.Ordinal);
        mayBeRight = _random.Next(4) == 0;
        if (!mayBeRight)
        {
            (string path, string field, string value) = s_nonsense[_random.Next(s_nonsense.Length)];
            string number = _random.Next(1, 1_000_000).ToString(CultureInfo.InvariantCulture);
            string filled = value.Contains("$ref", StringComparison.Ordinal)
                ? value
                : value.Replace("#", number, StringComparison.Ordinal).Replace("@", text, StringComparison.Ordinal);
            return (path, Encoding.UTF8.GetBytes(With(Endpoints.First(endpoint => endpoint.Path == path).Body, field, filled)));
        }

        (string chat, string good, _) = Endpoints[0];
        string body = _random.Next(3) switch
        {
            0 => With(good, "grammar", $"\"root ::= {text}\""),
            1 => With(good, "response_format", Schema($$"""{"type":"string","pattern":"^{{text}}$"}""")),
            _ => With(good, "messages", $$"""[{"role":"user","content":"{{new string('a', 6000)}} {{text}}"}]"""),
        };
        return (chat, Encoding.UTF8.GetBytes(body));
    }
}
