using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Server.Fields;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Fields that clients of other servers send: those without an influence on the answer are accepted, and the others have one.</summary>
[TestFixture]
public sealed class FieldTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Completion = "/v1/completions";
    private const string Responses = "/v1/responses";
    private const string Messages = "/v1/messages";

    private TestServer _server = null!;
    private TestServer _strict = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await TestServer.StartAsync();
        _strict = await TestServer.StartAsync(options => options.Requests.Strict = true);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _server.DisposeAsync();
        await _strict.DisposeAsync();
    }

    [TestCase(Responses, """{"client_metadata":{"a":"b"}}""")]
    [TestCase(Responses, """{"context_management":[{"type":"compaction"}]}""")]
    [TestCase(Responses, """{"prompt_cache_options":{"mode":"auto"}}""")]
    [TestCase(Responses, """{"moderation":"low"}""")]
    [TestCase(Responses, """{"include":["reasoning.encrypted_content"],"store":false,"prompt_cache_key":"k","service_tier":"auto"}""")]
    [TestCase(Responses, """{"text":{"verbosity":"low"},"reasoning":{"effort":"low","summary":"auto"}}""")]
    [TestCase(Chat, """{"enable_thinking":false}""")]
    [TestCase(Chat, """{"thinking":{"type":"disabled"}}""")]
    [TestCase(Chat, """{"thinking":{"type":"enabled","budget_tokens":1024}}""")]
    [TestCase(Chat, """{"thinking":false}""")]
    [TestCase(Chat, """{"reasoning":{"effort":"low"}}""")]
    [TestCase(Chat, """{"reasoning":{"enabled":true,"exclude":false}}""")]
    [TestCase(Chat, """{"keep_alive":"5m"}""")]
    [TestCase(Chat, """{"num_ctx":4096}""")]
    [TestCase(Chat, """{"timings_per_token":true}""")]
    [TestCase(Chat, """{"return_progress":true}""")]
    [TestCase(Chat, """{"samplers":["top_k","temperature"]}""")]
    [TestCase(Chat, """{"samplers":"edskypmxt"}""")]
    [TestCase(Chat, """{"n_predict":4}""")]
    [TestCase(Chat, """{"stop_token_ids":[]}""")]
    [TestCase(Chat, """{"max_tokens":-1,"stop":["a","e","i","o"]}""")]
    [TestCase(Chat, """{"something_new":{"deep":[1,2]}}""")]
    [TestCase(Chat, """{"use_beam_search":false,"best_of":1,"lora":[],"functions":[]}""")]
    [TestCase(Chat, """{"web_search_options":{}}""")]
    [TestCase(Chat, """{"stream_options":{"include_usage":false}}""")]
    [TestCase(Chat, """{"messages":[{"role":"user","content":"Hi","name":"Ann","cache_control":{"type":"ephemeral"},"id":"m1"}]}""")]
    [TestCase(Completion, """{"prompt":"Hi","something_new":1}""")]
    [TestCase(Completion, """{"prompt":"Hi","samplers":["temperature"],"max_tokens":2}""")]
    [TestCase(Messages, """{"something_new":1,"metadata":{"user_id":"u"},"context_management":{"edits":[]}}""")]
    public async Task Field_of_a_real_client_gets_an_answer(string path, string fields) =>
        (await _server.AskAsync(path, Request(path, fields))).Should().NotBeNull();

    [TestCase(Chat, """{"temperature":2.1}""", "temperature")]
    [TestCase(Chat, """{"presence_penalty":2.1}""", "presence_penalty")]
    [TestCase(Chat, """{"frequency_penalty":-2.1}""", "frequency_penalty")]
    [TestCase(Completion, """{"prompt":"Hi","temperature":2.1}""", "temperature")]
    [TestCase(Responses, """{"temperature":2.1}""", "temperature")]
    [TestCase(Chat, """{"max_tokens":0}""", "max_tokens")]
    [TestCase(Chat, """{"max_tokens":-2}""", "max_tokens")]
    [TestCase(Chat, """{"samplers":["magic"]}""", "samplers")]
    [TestCase(Chat, """{"use_beam_search":true}""", "use_beam_search")]
    [TestCase(Chat, """{"lora":[{"id":0,"scale":1}]}""", "lora")]
    [TestCase(Chat, """{"guided_regex":"a+"}""", "guided_regex")]
    [TestCase(Chat, """{"guided_json":{"type":"object"},"response_format":{"type":"json_object"}}""", "guided_json")]
    [TestCase(Chat, """{"chat_template":"{{ messages }}"}""", "chat_template")]
    [TestCase(Chat, """{"stop_token_ids":["a"]}""", "stop_token_ids[0]")]
    [TestCase(Chat, """{"messages":[{"role":"user"}]}""", "messages[0].content")]
    [TestCase(Chat, """{"messages":[{"role":"user","content":null}]}""", "messages[0].content")]
    [TestCase(Chat, """{"messages":[{"role":"system"},{"role":"user","content":"Hi"}]}""", "messages[0].content")]
    [TestCase(Chat, """{"messages":[{"role":"user","content":"Hi"},{"role":"assistant"},{"role":"user","content":"Hi"}]}""", "messages[1].content")]
    public async Task Field_that_would_change_the_answer_is_refused(string path, string fields, string parameter)
    {
        (int status, JsonNode error) = await _server.FailAsync(path, Request(path, fields));
        status.Should().Be(400);
        ((string?)error["param"]).Should().Be(parameter, error.ToJsonString());
    }

    [TestCase(Chat, """{"temprature":1}""", "temprature")]
    [TestCase(Chat, """{"messages":[{"role":"user","content":"Hi","colour":"red"}]}""", "messages[0].colour")]
    [TestCase(Chat, """{"messages":[{"role":"user","content":[{"type":"text","text":"Hi","colour":"red"}]}]}""", "messages[0].content[0].colour")]
    [TestCase(Chat, """{"tools":[{"type":"function","function":{"name":"f","colour":"red"}}]}""", "tools[0].function.colour")]
    [TestCase(Chat, """{"stream":true,"stream_options":{"include_usage":true,"colour":"red"}}""", "stream_options.colour")]
    [TestCase(Responses, """{"colour":1}""", "colour")]
    [TestCase(Responses, """{"input":[{"role":"user","content":"Hi","colour":"red"}]}""", "input[0].colour")]
    [TestCase(Responses, """{"text":{"colour":"red"}}""", "text.colour")]
    public async Task Strict_server_refuses_unknown_fields_at_every_depth(string path, string fields, string parameter)
    {
        (int status, JsonNode error) = await _strict.FailAsync(path, Request(path, fields));
        status.Should().Be(400);
        ((string?)error["code"]).Should().Be("unknown_parameter");
        ((string?)error["param"]).Should().Be(parameter);
    }

    [TestCase(Messages, """{"messages":[{"role":"user","content":[{"type":"text","text":"Hi","colour":"red"}]}]}""")]
    [TestCase("/api/chat", """{"messages":[{"role":"user","content":"Hi","colour":"red"}]}""")]
    [TestCase("/api/chat", """{"options":{"colour":"red"}}""")]
    public async Task Strict_server_refuses_unknown_fields_in_every_API(string path, string fields)
    {
        using HttpResponseMessage response = await _strict.PostAsync(path, Request(path, fields));
        ((int)response.StatusCode).Should().Be(400);
        (await response.Content.ReadAsStringAsync()).Should().Contain("colour");
    }

    [TestCase(Chat, """{"user":"u","metadata":{"a":{"b":1}},"chat_template_kwargs":{"any":{"thing":1}},"seed":1}""")]
    [TestCase(Chat, """{"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{"colour":{"type":"string"}}}}}],"tool_choice":"none"}""")]
    [TestCase(Responses, """{"input":[{"type":"message","id":"m","status":"completed","role":"user","content":[{"type":"input_text","text":"Hi"}]}]}""")]
    public async Task Strict_server_accepts_what_the_API_has(string path, string fields) =>
        (await _strict.AskAsync(path, Request(path, fields))).Should().NotBeNull();

    [Test]
    public async Task Field_without_effect_is_counted_listed_in_the_answer_and_logged_once_for_each_client()
    {
        JsonObject chat = Request(Chat, """{"fancy_option":1,"messages":[{"role":"user","content":"Hi","fancy_part":true},{"role":"user","content":"Hi","fancy_part":true}]}""");
        foreach (string agent in (string[])["first/1.0", "first/1.0", "second/1.0"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Chat) { Content = new StringContent(chat.ToJsonString()) };
            request.Headers.UserAgent.ParseAdd(agent);
            using HttpResponseMessage response = await _server.Http.SendAsync(request);
            response.EnsureSuccessStatusCode();
            response.Headers.GetValues("x-moe-ignored").Single().Should().Contain("fancy_option").And.Contain("messages[1].fancy_part");
        }

        string[] lines = [.. _server.Log.Lines.Where(line => line.Text.Contains("fancy", StringComparison.Ordinal)).Select(line => line.Text)];
        lines.Should().HaveCount(4, string.Join('\n', lines));
        lines.Count(line => line.Contains("first/1.0", StringComparison.Ordinal)).Should().Be(2);
        (await _server.Http.GetStringAsync("/metrics")).Should().Contain("moe_requests_ignored_fields");
    }

    [Test]
    public async Task Answer_without_ignored_fields_has_no_list()
    {
        using HttpResponseMessage response = await _server.PostAsync(Chat, Request(Chat, "{}"));
        response.Headers.Contains("x-moe-ignored").Should().BeFalse();
    }

    [TestCase("""{"guided_choice":["red","dark \"blue\""]}""", "^(red|dark \"blue\")$")]
    [TestCase("""{"guided_json":{"enum":["red","blue"]}}""", "^\\s*\"(red|blue)\"\\s*$")]
    [TestCase("""{"guided_json":"{\"enum\":[\"red\",\"blue\"]}"}""", "^\\s*\"(red|blue)\"\\s*$")]
    [TestCase("""{"json_schema":{"enum":["red","blue"]}}""", "^\\s*\"(red|blue)\"\\s*$")]
    [TestCase("""{"structured_outputs":{"choice":["red","blue"]}}""", "^(red|blue)$")]
    [TestCase("""{"response_format":{"type":"json_object","schema":{"enum":["red","blue"]}}}""", "^\\s*\"(red|blue)\"\\s*$")]
    [TestCase("""{"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}},"stop":["\n"]}""", "^\\s*([\\[{\"0-9tfn-]|$)")]
    [TestCase("""{"max_tokens":30,"n_predict":2}""", ".")]
    public async Task Constraint_of_another_server_is_followed(string fields, string pattern)
    {
        JsonObject request = Request(Chat, fields);
        request["max_tokens"] = 30;
        ((string)(await _server.AskAsync(Chat, request))["choices"]![0]!["message"]!["content"]!).Should().MatchRegex(pattern);
    }

    [Test]
    public async Task Stop_token_ends_the_answer_without_its_text([Values] bool stream)
    {
        JsonObject chat = Request(Chat, """{"logprobs":true,"max_tokens":12}""");
        chat["messages"]![0]!["content"] = TestServer.ClearQuestion;
        using ModelLease lease = await _server.Models.AcquireAsync(TestServer.Demo);
        string answer = (string)(await _server.AskAsync(Chat, chat.DeepClone()))["choices"]![0]!["message"]!["content"]!;
        int[] tokens = lease.Model.Vocabulary.Tokenize(answer, addSpecial: false);
        chat["stop_token_ids"] = new JsonArray(tokens[3]);
        chat["logprobs"] = false;
        string cut = stream
            ? string.Concat((await _server.StreamAsync(Chat, chat)).SkipLast(1).Select(data => (string?)JsonNode.Parse(data)!["choices"]![0]!["delta"]!["content"]))
            : (string)(await _server.AskAsync(Chat, chat))["choices"]![0]!["message"]!["content"]!;
        cut.Should().Be(lease.Model.Vocabulary.Detokenize(tokens.AsSpan(0, Array.IndexOf(tokens, tokens[3]))));
    }

    [Test]
    public void Documentation_has_the_list_of_the_code()
    {
        string page = File.ReadAllText(Path.Combine(Root(), "docs", "server-protocols.md")).ReplaceLineEndings("\n");
        page.Should().Contain(FieldTables.Describe(), "the page has a list that is created from the code");
    }

    private static string Root()
    {
        string? at = AppContext.BaseDirectory;
        while (at is not null && !File.Exists(Path.Combine(at, "MoeOffload.sln")))
        {
            at = Path.GetDirectoryName(at);
        }

        return at ?? throw new DirectoryNotFoundException("No directory above holds MoeOffload.sln: run the tests in a checkout.");
    }

    private static JsonObject Request(string path, string fields)
    {
        var hi = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" });
        var request = new JsonObject { ["model"] = TestServer.Demo };
        switch (path)
        {
            case Completion:
                request["max_tokens"] = 3;
                break;
            case Responses:
                request["input"] = "Hi";
                request["max_output_tokens"] = 3;
                break;
            case "/api/chat":
                request["messages"] = hi;
                request["stream"] = false;
                break;
            default:
                request["messages"] = hi;
                request["max_tokens"] = 3;
                break;
        }

        if (path is not Messages and not "/api/chat")
        {
            request["temperature"] = 0;
        }

        foreach ((string name, JsonNode? value) in JsonNode.Parse(fields)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        return request;
    }
}
