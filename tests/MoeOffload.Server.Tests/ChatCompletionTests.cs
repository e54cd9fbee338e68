using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class ChatCompletionTests
{
    private const string Path = "/v1/chat/completions";

    private const string Question = "What is ice made of?";

    private TestServer _server = null!;
    private string _answer = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await TestServer.StartAsync();
        using ModelLease lease = await _server.Models.AcquireAsync(TestServer.Demo);
        ChatUpdate answer = await lease.Session
            .ChatAsync([ChatMessage.User(Question)], new ChatOptions { MaxTokens = 24, Sampling = new SamplingOptions { Temperature = 0 } }).CompleteAsync();
        answer.FinishReason.Should().Be(ChatFinishReason.Stop, "the tests want a short answer");
        _answer = answer.Message!.Content;
    }

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task Answer_has_the_text_and_what_it_cost()
    {
        JsonNode answer = await _server.AskAsync(Path, TestServer.Chat(Question));

        ((string)answer["object"]!).Should().Be("chat.completion");
        ((string)answer["model"]!).Should().Be(TestServer.Demo);
        JsonNode choice = answer["choices"]!.AsArray().Single()!;
        ((string)choice["message"]!["role"]!).Should().Be("assistant");
        ((string)choice["message"]!["content"]!).Should().Be(_answer);
        ((string)choice["finish_reason"]!).Should().Be("stop");
        JsonNode usage = answer["usage"]!;
        ((int)usage["prompt_tokens"]!).Should().BePositive();
        ((int)usage["completion_tokens"]!).Should().BeInRange(3, 24);
        ((int)usage["total_tokens"]!).Should().Be((int)usage["prompt_tokens"]! + (int)usage["completion_tokens"]!);
    }

    [Test]
    public async Task Stream_adds_up_to_the_answer_and_ends_with_the_usage_that_was_asked_for()
    {
        JsonObject chat = TestServer.Chat(Question);
        chat["stream_options"] = new JsonObject { ["include_usage"] = true };
        List<string> data = await _server.StreamAsync(Path, chat);

        data[^1].Should().Be("[DONE]");
        JsonNode[] chunks = [.. data.SkipLast(1).Select(text => JsonNode.Parse(text)!)];
        chunks.Should().OnlyContain(chunk => (string)chunk["object"]! == "chat.completion.chunk" && (string)chunk["id"]! == (string)chunks[0]["id"]!);
        Content(chunks).Should().Be(_answer);
        ((string)chunks[0]["choices"]![0]!["delta"]!["role"]!).Should().Be("assistant");
        ((string)chunks[^2]["choices"]![0]!["finish_reason"]!).Should().Be("stop");
        chunks[^1]["choices"]!.AsArray().Should().BeEmpty();
        ((int)chunks[^1]["usage"]!["completion_tokens"]!).Should().BePositive();
    }

    [Test]
    public async Task Long_answer_comes_in_many_parts()
    {
        JsonObject chat = TestServer.Endless(stream: true);
        chat["max_tokens"] = 300;
        (await _server.StreamAsync(Path, chat)).Should().HaveCountGreaterThan(10);
    }

    [Test]
    public async Task Repeated_prompt_is_counted_as_cached()
    {
        await _server.AskAsync(Path, TestServer.Chat("What do bees make, and why?"));
        JsonNode again = await _server.AskAsync(Path, TestServer.Chat("What do bees make, and why?"));
        ((int)again["usage"]!["prompt_tokens_details"]!["cached_tokens"]!).Should().BePositive();
    }

    [Test]
    public async Task Limit_cuts_the_answer()
    {
        JsonNode answer = await _server.AskAsync(Path, TestServer.Chat("Tell me a story.", maxTokens: 5));
        ((string)answer["choices"]![0]!["finish_reason"]!).Should().Be("length");
        ((int)answer["usage"]!["completion_tokens"]!).Should().Be(5);
    }

    [Test]
    public async Task Stop_text_ends_the_answer_before_it()
    {
        JsonObject chat = TestServer.Chat(Question);
        string stop = _answer[^6..];
        chat["stop"] = new JsonArray("never to be found", stop);
        JsonNode answer = await _server.AskAsync(Path, chat);
        ((string)answer["choices"]![0]!["message"]!["content"]!).Should().Be(_answer[.._answer.IndexOf(stop, StringComparison.Ordinal)]);
        ((string)answer["choices"]![0]!["finish_reason"]!).Should().Be("stop");
    }

    // Other computations in the same step could change a result by a rounding error, so there are no other answers and no prefix cache.
    [Test]
    public async Task Same_seed_gives_the_same_answer_and_several_answers_differ()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Models.Context = options.Models.Context with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
        JsonObject chat = TestServer.Chat("Tell me a story.", maxTokens: 30);
        chat["seed"] = -7;
        chat["temperature"] = 1.5;
        string[] first = Texts(await server.AskAsync(Path, chat));
        string[] second = Texts(await server.AskAsync(Path, chat));
        chat["n"] = 3;
        string[] several = Texts(await server.AskAsync(Path, chat));

        second.Should().Equal(first);
        several.Should().HaveCount(3).And.OnlyHaveUniqueItems();
    }

    [Test]
    public async Task Several_streamed_answers_come_apart()
    {
        JsonObject chat = TestServer.Chat("Tell me a story.", maxTokens: 12);
        chat["n"] = 3;
        chat["temperature"] = 1.5;
        chat["stream_options"] = new JsonObject { ["include_usage"] = true };
        List<string> data = await _server.StreamAsync(Path, chat);

        JsonNode[] chunks = [.. data.SkipLast(1).Select(text => JsonNode.Parse(text)!)];
        JsonNode[] choices = [.. chunks.SelectMany(chunk => chunk["choices"]!.AsArray()).Select(choice => choice!)];
        for (int i = 0; i < 3; i++)
        {
            JsonNode[] own = [.. choices.Where(choice => (int)choice["index"]! == i)];
            string.Concat(own.Select(choice => (string?)choice["delta"]!["content"])).Should().NotBeEmpty();
            own.Count(choice => (string?)choice["delta"]!["role"] == "assistant").Should().Be(1);
            own.Count(choice => (string?)choice["finish_reason"] is not null).Should().Be(1);
        }

        ((int)chunks[^1]["usage"]!["completion_tokens"]!).Should().BeInRange(13, 36, "all answers count");
    }

    [Test]
    public async Task Probabilities_are_of_the_tokens_of_the_answer([Values] bool stream)
    {
        JsonObject chat = TestServer.Chat(Question);
        chat["logprobs"] = true;
        chat["top_logprobs"] = 3;
        JsonNode[] tokens = stream
            ? [.. (await _server.StreamAsync(Path, chat)).SkipLast(1).SelectMany(text => JsonNode.Parse(text)!["choices"]![0]!["logprobs"]?["content"]?.AsArray() ?? []).Select(token => token!)]
            : [.. (await _server.AskAsync(Path, chat))["choices"]![0]!["logprobs"]!["content"]!.AsArray().Select(token => token!)];

        string.Concat(tokens.Select(token => (string)token["token"]!)).Should().Be(_answer);
        tokens.Should().OnlyContain(token => token["top_logprobs"]!.AsArray().Count == 3 && (float)token["logprob"]! <= 0);
        tokens.Should().OnlyContain(token => (string)token["top_logprobs"]![0]!["token"]! == (string)token["token"]!, "it is greedy");
        System.Text.Encoding.UTF8.GetString([.. tokens.SelectMany(token => token["bytes"]!.AsArray()).Select(value => (byte)(int)value!)]).Should().Be(_answer);
    }

    [Test]
    public async Task Bias_bans_a_token()
    {
        JsonObject chat = TestServer.Chat(Question, maxTokens: 1);
        using ModelLease lease = await _server.Models.AcquireAsync(TestServer.Demo);
        int token = lease.Model.Vocabulary.Tokenize(_answer, addSpecial: false)[0];
        string free = Texts(await _server.AskAsync(Path, chat)).Single();
        chat["logit_bias"] = new JsonObject { [$"{token}"] = -100 };
        string banned = Texts(await _server.AskAsync(Path, chat)).Single();

        _answer.Should().StartWith(free);
        banned.Should().NotBe(free);
    }

    [Test]
    public async Task Penalty_keeps_a_text_from_repeating_itself()
    {
        JsonObject chat = TestServer.Chat("Tell me a story.", maxTokens: 60);
        chat["ignore_eos"] = true;
        string plain = Texts(await _server.AskAsync(Path, chat)).Single();
        chat["frequency_penalty"] = 2;
        string penalized = Texts(await _server.AskAsync(Path, chat)).Single();

        MostFrequent(penalized).Should().BeLessThan(MostFrequent(plain));

        static int MostFrequent(string text) => text.Split(' ').GroupBy(word => word).Max(group => group.Count());
    }

    [Test]
    public async Task Answer_follows_a_schema()
    {
        JsonObject chat = TestServer.Chat("Which color?", maxTokens: 300);
        chat["temperature"] = 1;
        chat["response_format"] = JsonNode.Parse("""
            {"type":"json_schema","json_schema":{"name":"paint","strict":true,"schema":{"type":"object","properties":{"color":{"enum":["red","blue"]},"times":{"type":"integer","minimum":1,"maximum":3}},"required":["color","times"],"additionalProperties":false}}}
            """);
        JsonNode answer = JsonNode.Parse(Texts(await _server.AskAsync(Path, chat)).Single())!;
        ((string)answer["color"]!).Should().BeOneOf("red", "blue");
        ((int)answer["times"]!).Should().BeInRange(1, 3);
    }

    [Test]
    public async Task Json_mode_begins_an_object()
    {
        JsonObject chat = TestServer.Chat("Which color?", maxTokens: 30);
        chat["response_format"] = new JsonObject { ["type"] = "json_object" };
        Texts(await _server.AskAsync(Path, chat)).Single().TrimStart().Should().StartWith("{");
    }

    [Test]
    public async Task Required_tool_is_called_with_arguments_of_its_schema([Values] bool stream)
    {
        // A model with random weights calls a tool if the token that begins a call is the most probable one.
        await using TestServer server = await TestServer.StartAsync(
            options => options.Models.Context = options.Models.Context with { ContextLength = 2048 },
            RealTemplates.Write(RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407"), null, null, "[TOOL_CALLS]"));
        string model = server.Models.List().Single().Entry.Name;
        using ModelLease lease = await server.Models.AcquireAsync(model);
        int begin = lease.Model.Vocabulary.Tokenize("[TOOL_CALLS]", addSpecial: false, parseSpecial: true).Single();
        JsonObject chat = TestServer.Chat("Paint!", maxTokens: 1000);
        chat["model"] = model;
        chat["logit_bias"] = new JsonObject { [$"{begin}"] = 50 };
        chat["tools"] = JsonNode.Parse("""
            [{"type":"function","function":{"name":"paint","description":"Paints","parameters":{"type":"object","properties":{"color":{"enum":["red","blue"]}},"required":["color"],"additionalProperties":false}}},
             {"type":"function","function":{"name":"wait"}}]
            """);
        chat["tool_choice"] = JsonNode.Parse("""{"type":"function","function":{"name":"paint"}}""");
        chat["parallel_tool_calls"] = false;
        (JsonNode call, string reason) = stream ? FromChunks(await server.StreamAsync(Path, chat)) : FromAnswer(await server.AskAsync(Path, chat));

        reason.Should().Be("tool_calls");
        ((string)call["type"]!).Should().Be("function");
        ((string)call["id"]!).Should().NotBeEmpty();
        ((string)call["function"]!["name"]!).Should().Be("paint");
        ((string)JsonNode.Parse((string)call["function"]!["arguments"]!)!["color"]!).Should().BeOneOf("red", "blue");

        static (JsonNode, string) FromAnswer(JsonNode answer) =>
            (answer["choices"]![0]!["message"]!["tool_calls"]!.AsArray().Single()!, (string)answer["choices"]![0]!["finish_reason"]!);

        static (JsonNode, string) FromChunks(List<string> data)
        {
            JsonNode[] choices = [.. data.SkipLast(1).Select(text => JsonNode.Parse(text)!["choices"]![0]!)];
            JsonNode[] parts = [.. choices.SelectMany(choice => choice["delta"]!["tool_calls"]?.AsArray() ?? []).Select(part => part!)];
            JsonNode call = parts[0].DeepClone();
            call["function"]!["arguments"] = string.Concat(parts.Select(part => (string?)part["function"]!["arguments"]));
            return (call, (string)choices[^1]["finish_reason"]!);
        }
    }

    [Test]
    public async Task Required_call_by_a_template_without_tools_is_an_error()
    {
        JsonObject chat = TestServer.Chat("Paint!");
        chat["tools"] = JsonNode.Parse("""[{"type":"function","function":{"name":"paint"}}]""");
        chat["tool_choice"] = "required";

        (int status, JsonNode error) = await _server.FailAsync(Path, chat);

        status.Should().Be(400);
        ((string)error["message"]!).Should().Contain("does not show tools");
    }

    [Test]
    public async Task Result_of_a_tool_can_be_answered()
    {
        JsonObject chat = TestServer.Chat("Paint!", maxTokens: 8);
        chat["messages"] = JsonNode.Parse("""
            [{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Paint!"}]},
             {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"paint","arguments":"{\"color\":\"red\"}"}}]},
             {"role":"tool","tool_call_id":"call_1","content":"done"}]
            """);
        chat["tools"] = JsonNode.Parse("""[{"type":"function","function":{"name":"paint"}}]""");
        chat["tool_choice"] = "none";
        Texts(await _server.AskAsync(Path, chat)).Should().ContainSingle();
    }

    [Test]
    public async Task What_the_model_thinks_comes_apart([Values] bool stream)
    {
        await using TestServer server = await TestServer.StartAsync(
            options => options.Models.Context = options.Models.Context with { ContextLength = 2048 }, RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 60);
        chat["model"] = server.Models.List().Single().Entry.Name;
        chat["grammar"] = """root ::= "<think>\n" [a-z ]{8,12} "</think>\n\n" [A-Z ]{8,12}""";
        JsonNode[] parts = stream
            ? [.. (await server.StreamAsync(Path, chat)).SkipLast(1).Select(text => JsonNode.Parse(text)!["choices"]![0]!["delta"]!)]
            : [(await server.AskAsync(Path, chat))["choices"]![0]!["message"]!];
        string.Concat(parts.Select(part => (string?)part["reasoning_content"])).Should().MatchRegex("^[a-z ]+$");
        string.Concat(parts.Select(part => (string?)part["content"])).Should().MatchRegex("^[A-Z ]+$");
    }

    [TestCase("""{"model":"nothing-like-that"}""", 404, "model_not_found", "model")]
    [TestCase("""{"model":null}""", 400, "missing_required_parameter", "model")]
    [TestCase("""{"messages":null}""", 400, "missing_required_parameter", "messages")]
    [TestCase("""{"messages":[]}""", 400, "empty_array", "messages")]
    [TestCase("""{"messages":[{"role":"wizard","content":"Hi"}]}""", 400, "invalid_value", "messages[0].role")]
    [TestCase("""{"messages":[{"role":"user","content":7}]}""", 400, "invalid_type", "messages[0].content")]
    [TestCase("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", 400, "unsupported_content", "messages[0].content[0].type")]
    [TestCase("""{"temperature":"hot"}""", 400, "invalid_type", "temperature")]
    [TestCase("""{"temperature":-1}""", 400, "invalid_value", "temperature")]
    [TestCase("""{"top_p":2}""", 400, "invalid_value", "top_p")]
    [TestCase("""{"max_tokens":0}""", 400, "invalid_value", "max_tokens")]
    [TestCase("""{"max_tokens":1e999}""", 400, "invalid_type", "max_tokens")]
    [TestCase("""{"n":1000}""", 400, "invalid_value", "n")]
    [TestCase("""{"stop":[""]}""", 400, "invalid_value", "stop")]
    [TestCase("""{"top_logprobs":3}""", 400, "invalid_value", "top_logprobs")]
    [TestCase("""{"logit_bias":{"cat":1}}""", 400, "invalid_value", "logit_bias")]
    [TestCase("""{"logit_bias":{"99999999":1}}""", 400, "invalid_value", null)]
    [TestCase("""{"grammar":"root ::= ("}""", 400, "invalid_value", null)]
    [TestCase("""{"response_format":{"type":"json_schema","json_schema":{"strict":true,"schema":{"type":"object","not":{}}}}}""", 400, "invalid_json_schema", "response_format.json_schema.schema")]
    [TestCase("""{"tools":[{"type":"function","function":{"name":"a b"}}]}""", 400, "invalid_value", null)]
    [TestCase("""{"tool_choice":"required"}""", 400, "invalid_value", null)]
    [TestCase("""{"stream_options":{"include_usage":true}}""", 400, "invalid_value", "stream_options")]
    [TestCase("""{"audio":{"voice":"alloy"}}""", 400, "unsupported_parameter", "audio")]
    [TestCase("""{"reasoning_effort":"enormous"}""", 400, "invalid_value", "reasoning_effort")]
    public async Task Wrong_request_is_told_what_is_wrong(string changes, int status, string code, string? parameter)
    {
        JsonObject chat = TestServer.Chat("Hi");
        foreach ((string name, JsonNode? value) in JsonNode.Parse(changes)!.AsObject())
        {
            chat[name] = value?.DeepClone();
        }

        (int actual, JsonNode error) = await _server.FailAsync(Path, chat);
        actual.Should().Be(status, error.ToJsonString());
        ((string)error["code"]!).Should().Be(code);
        ((string?)error["param"]).Should().Be(parameter);
        ((string)error["type"]!).Should().Be("invalid_request_error");
        ((string)error["message"]!).Should().NotBeEmpty().And.NotContain("Parameter '");
    }

    [Test]
    public async Task Prompt_that_is_longer_than_the_context_is_an_error_of_its_own([Values] bool stream)
    {
        JsonObject chat = TestServer.Chat(string.Concat(Enumerable.Repeat("What is ice made of? ", 200)));
        chat["stream"] = stream;
        (int status, JsonNode error) = await _server.FailAsync(Path, chat);
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be("context_length_exceeded");
    }

    private static string Content(IEnumerable<JsonNode> chunks) =>
        string.Concat(chunks.SelectMany(chunk => chunk["choices"]!.AsArray()).Select(choice => (string?)choice!["delta"]!["content"]));

    private static string[] Texts(JsonNode answer) => [.. answer["choices"]!.AsArray().Select(choice => (string)choice!["message"]!["content"]!)];
}
