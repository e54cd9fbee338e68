using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class CompletionTests
{
    private const string Path = "/v1/completions";
    private const string Prompt = "Once upon a time there was a";

    private TestServer _server = null!;
    private string _text = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await TestServer.StartAsync();
        using ModelLease lease = await _server.Models.AcquireAsync(TestServer.Demo);
        await foreach (GeneratedToken token in lease.Session.GenerateAsync(Prompt, new SamplingOptions { Temperature = 0 }, maxTokens: 12))
        {
            _text += token.Text;
        }
    }

    [OneTimeTearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task Text_is_continued_without_a_template()
    {
        JsonNode answer = await _server.AskAsync(Path, Request(Prompt));
        ((string)answer["object"]!).Should().Be("text_completion");
        ((string)answer["choices"]![0]!["text"]!).Should().Be(_text);
        ((string)answer["choices"]![0]!["finish_reason"]!).Should().Be("length");
        ((int)answer["usage"]!["completion_tokens"]!).Should().Be(12);
    }

    [Test]
    public async Task Without_a_limit_there_are_as_many_tokens_as_OpenAI_gives()
    {
        JsonObject request = Request(Prompt);
        request.Remove("max_tokens");
        request["ignore_eos"] = true;
        ((int)(await _server.AskAsync(Path, request))["usage"]!["completion_tokens"]!).Should().Be(16);
    }

    [Test]
    public async Task Stream_adds_up_to_the_text()
    {
        JsonObject request = Request(Prompt);
        request["stream_options"] = new JsonObject { ["include_usage"] = true };
        List<string> data = await _server.StreamAsync(Path, request);
        JsonNode[] chunks = [.. data.SkipLast(1).Select(text => JsonNode.Parse(text)!)];
        string.Concat(chunks.SelectMany(chunk => chunk["choices"]!.AsArray()).Select(choice => (string)choice!["text"]!)).Should().Be(_text);
        ((int)chunks[^1]["usage"]!["completion_tokens"]!).Should().Be(12);
        data[^1].Should().Be("[DONE]");
    }

    [Test]
    public async Task Prompts_may_be_several_and_tokens()
    {
        using ModelLease lease = await _server.Models.AcquireAsync(TestServer.Demo);
        int[] tokens = lease.Model.Vocabulary.Tokenize(Prompt);
        JsonObject request = Request(Prompt);
        request["prompt"] = new JsonArray(new JsonArray([.. tokens.Select(token => JsonValue.Create(token))]), "Far away there was a");
        request["echo"] = true;
        JsonNode answer = await _server.AskAsync(Path, request);
        JsonArray choices = answer["choices"]!.AsArray();
        choices.Should().HaveCount(2);
        ((string)choices[0]!["text"]!).Should().StartWith(Prompt);
        ((string)choices[1]!["text"]!).Should().StartWith("Far away there was a");
        int first = (int)(await _server.AskAsync(Path, Request(Prompt)))["usage"]!["prompt_tokens"]!;
        ((int)answer["usage"]!["prompt_tokens"]!).Should().BeGreaterThan(first, "both prompts count");
    }

    [Test]
    public async Task Probabilities_have_tokens_and_their_places()
    {
        JsonObject request = Request(Prompt);
        request["logprobs"] = 2;
        JsonNode probabilities = (await _server.AskAsync(Path, request))["choices"]![0]!["logprobs"]!;
        string[] tokens = [.. probabilities["tokens"]!.AsArray().Select(token => (string)token!)];
        string.Concat(tokens).Should().Be(_text);
        probabilities["token_logprobs"]!.AsArray().Should().HaveCount(tokens.Length);
        probabilities["top_logprobs"]!.AsArray().Should().HaveCount(tokens.Length).And.OnlyContain(top => top!.AsObject().Count == 2);
        probabilities["text_offset"]!.AsArray().Select((offset, i) => _text[(int)offset!..].StartsWith(tokens[i], StringComparison.Ordinal)).Should().OnlyContain(fits => fits);
    }

    [TestCase("""{"prompt":null}""", "missing_required_parameter")]
    [TestCase("""{"prompt":[]}""", "empty_array")]
    [TestCase("""{"prompt":[1.5]}""", "invalid_type")]
    [TestCase("""{"prompt":[99999999]}""", "invalid_value")]
    [TestCase("""{"prompt":{"a":1}}""", "invalid_type")]
    [TestCase("""{"best_of":3}""", "unsupported_parameter")]
    [TestCase("""{"suffix":"x"}""", "unsupported_model")]
    [TestCase("""{"logprobs":9}""", "invalid_value")]
    [TestCase("""{"n":17}""", "invalid_value")]
    public async Task Wrong_request_is_told_what_is_wrong(string changes, string code)
    {
        JsonObject request = Request(Prompt);
        foreach ((string name, JsonNode? value) in JsonNode.Parse(changes)!.AsObject())
        {
            request[name] = value?.DeepClone();
        }

        (int status, JsonNode error) = await _server.FailAsync(Path, request);
        status.Should().Be(400);
        ((string)error["code"]!).Should().Be(code, error.ToJsonString());
    }

    private static JsonObject Request(string prompt) =>
        new() { ["model"] = TestServer.Demo, ["prompt"] = prompt, ["max_tokens"] = 12, ["temperature"] = 0 };
}
