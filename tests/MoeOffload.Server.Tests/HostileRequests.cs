using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace MoeOffload.Server.Tests;

/// <summary>Requests that nobody means well with, the same ones for the same seed.</summary>
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

    private readonly Random _random = new(seed);

    /// <summary>The endpoints that take JSON, each with a request that is right.</summary>
    public static IReadOnlyList<(string Path, string Body)> Endpoints { get; } =
    [
        ("/v1/chat/completions", """{"model":"tiny-moe","messages":[{"role":"user","content":"Hi"}],"max_tokens":1,"temperature":0.5,"top_p":0.9,"n":1,"stop":["x"],"seed":1,"logprobs":true,"top_logprobs":1,"presence_penalty":0,"tools":[],"stream":false}"""),
        ("/v1/completions", """{"model":"tiny-moe","prompt":"Hi","max_tokens":1,"temperature":0.5,"top_p":0.9,"n":1,"stop":["x"],"seed":1,"logprobs":1,"echo":true,"stream":false}"""),
        ("/v1/responses", """{"model":"tiny-moe","input":"Hi","max_output_tokens":1,"temperature":0.5,"top_p":0.9,"instructions":"x","tools":[],"stream":false}"""),
        ("/v1/embeddings", """{"model":"tiny-moe","input":"Hi","encoding_format":"float"}"""),
    ];

    /// <summary>The next path and body. Its answer is a status from 400 to 499, unless <paramref name="mayBeRight"/> says that it might be right by chance.</summary>
    public (string Path, byte[] Body) Next(out bool mayBeRight)
    {
        (string path, string good) = Endpoints[_random.Next(Endpoints.Count)];
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

    /// <summary>Bytes that are no request, or not a whole one.</summary>
    public byte[] NextRaw()
    {
        (string path, string body) = Endpoints[_random.Next(Endpoints.Count)];
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
            Encoding.Latin1.GetString(noise),
        ];
        return Encoding.Latin1.GetBytes(requests[_random.Next(requests.Length)]);
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

    // What is of the right types and still asks for nonsense.
    private (string Path, byte[] Body) WithWrongMeaning(out bool mayBeRight)
    {
        string chat = Endpoints[0].Body;
        int number = _random.Next();
        string text = string.Concat(Enumerable.Range(0, _random.Next(1, 40)).Select(_ => (char)_random.Next(33, 126))).Replace("\\", "/", StringComparison.Ordinal).Replace("\"", "'", StringComparison.Ordinal);
        mayBeRight = false;
        string body;
        switch (_random.Next(10))
        {
            case 0:
                body = With(chat, "max_tokens", (-number).ToString(CultureInfo.InvariantCulture));
                break;
            case 1:
                body = With(chat, "n", (number + 17L).ToString(CultureInfo.InvariantCulture));
                break;
            case 2:
                body = With(chat, "logit_bias", $$"""{"{{(long)number + 100_000}}":1}""");
                break;
            case 3:
                mayBeRight = true;
                body = With(chat, "grammar", $"\"root ::= {text}\"");
                break;
            case 4:
                body = With(chat, "response_format", Schema($$"""{"$ref":"#/$defs/{{number}}"}"""));
                break;
            case 5:
                mayBeRight = true;
                body = With(chat, "response_format", Schema($$"""{"type":"string","pattern":"^{{text}}$"}"""));
                break;
            case 6:
                body = With(chat, "tools", """[{"type":"function","function":{"name":"a","parameters":{"$ref":"#/nowhere"}}}]""");
                break;
            case 7:
                body = With(chat, "messages", $$"""[{"role":"{{number}}","content":"Hi"}]""");
                break;
            case 8:
                body = With(chat, "messages", $$"""[{"role":"user","content":"{{new string('a', 6000)}} {{text}}"}]""");
                mayBeRight = true;
                break;
            default:
                body = With(chat, "messages", """[{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"a","arguments":"{]"}}]}]""");
                break;
        }

        return (Endpoints[0].Path, Encoding.UTF8.GetBytes(body));
    }
}
