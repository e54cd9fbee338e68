using System.Text.Json;
using FluentAssertions;
using NUnit.Framework;
using OllamaSharp;
using OllamaSharp.Models;
using OllamaSharp.Models.Chat;
using OllamaSharp.Models.Exceptions;
using Role = OllamaSharp.Models.Chat.ChatRole;

namespace MoeOffload.Server.Tests;

/// <summary>OllamaSharp, unchanged, as a client.</summary>
[TestFixture]
public sealed class OllamaSharpTests : IDisposable
{
    private static readonly Tool s_weather = new()
    {
        Function = new Function
        {
            Name = "get_weather",
            Description = "Tells the weather",
            Parameters = new Parameters
            {
                Properties = new Dictionary<string, Property> { ["city"] = new() { Type = "string", Enum = ["Oslo", "Rome"] } },
                Required = ["city"],
            },
        },
    };

    private TestServer _server = null!;
    private OllamaApiClient _client = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = await TestServer.StartAsync();
        _client = new OllamaApiClient(_server.Address, TestServer.Demo);
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    public void Dispose() => _client?.Dispose();

    [Test]
    public async Task Chat_is_answered_streamed_or_not([Values] bool stream)
    {
        List<ChatResponseStream> parts = await ReadAsync(_client, Request("What do bees make?", stream));

        string.Concat(parts.Select(part => part.Message.Content)).Should().NotBeEmpty()
            .And.Be((string?)(await _server.AskAsync("/v1/chat/completions", TestServer.Chat("What do bees make?")))["choices"]![0]!["message"]!["content"]);
        ChatDoneResponseStream end = parts[^1].Should().BeOfType<ChatDoneResponseStream>().Subject;
        end.DoneReason.Should().Be("stop");
        end.EvalCount.Should().BePositive();
        parts.Count.Should().BeGreaterThan(stream ? 1 : 0);
    }

    [Test]
    public async Task Chat_with_a_memory_goes_on()
    {
        var chat = new OllamaSharp.Chat(_client) { Options = new RequestOptions { Temperature = 0, NumPredict = 8 } };
        await foreach (string _ in chat.SendAsync("What do bees make?"))
        {
        }

        await foreach (string _ in chat.SendAsync("Tell me a story."))
        {
        }

        chat.Messages.Select(message => message.Role).Should().Equal(Role.User, Role.Assistant, Role.User, Role.Assistant);
        chat.Messages.Should().OnlyContain(message => message.Content!.Length > 0);
    }

    [Test]
    public async Task Prompt_is_generated_from()
    {
        var text = new System.Text.StringBuilder();
        await foreach (GenerateResponseStream? part in _client.GenerateAsync(
            new GenerateRequest { Model = TestServer.Demo, Prompt = "What do bees make?", Options = new RequestOptions { Temperature = 0, NumPredict = 24 } }))
        {
            text.Append(part!.Response);
        }

        text.ToString().Should().NotBeEmpty();
    }

    [Test]
    public async Task Tool_is_called_and_its_result_taken()
    {
        await using TestServer server = await CallingModel.StartAsync();
        using var client = new OllamaApiClient(server.Address, server.Models.List()[0].Entry.Name);
        ChatRequest request = Request("What is the weather?", stream: false);
        request.Model = client.SelectedModel;
        request.Tools = [s_weather];
        request.Options = new RequestOptions { NumPredict = 1000 };

        Message answer = (await ReadAsync(client, request))[0].Message;

        Message.ToolCall call = answer.ToolCalls!.First();
        call.Function!.Name.Should().Be("get_weather");
        call.Function.Arguments!["city"]!.ToString().Should().BeOneOf("Oslo", "Rome");
        request.Messages = [.. request.Messages!, answer, new Message { Role = Role.Tool, Content = "sunny", ToolName = "get_weather" }];
        request.Options = new RequestOptions { NumPredict = 2 };
        (await ReadAsync(client, request))[^1].Done.Should().BeTrue();
    }

    [Test]
    public async Task Answer_follows_a_schema()
    {
        ChatRequest request = Request("Who makes honey?", stream: false);
        request.Format = JsonSerializer.Deserialize<JsonElement>(
            """{"type":"object","properties":{"animal":{"type":"string","enum":["bee","cow"]}},"required":["animal"]}""");
        request.Options = new RequestOptions { Temperature = 0, NumPredict = 200 };

        string text = string.Concat((await ReadAsync(_client, request)).Select(part => part.Message.Content));

        JsonSerializer.Deserialize<JsonElement>(text).GetProperty("animal").GetString().Should().BeOneOf("bee", "cow");
    }

    [Test]
    public async Task Texts_are_embedded()
    {
        EmbedResponse answer = await _client.EmbedAsync(new EmbedRequest { Model = TestServer.Demo, Input = ["a bee", "a fox"] });

        answer.Embeddings.Should().HaveCount(2);
        answer.Embeddings[0].Should().HaveCount(192);
    }

    [Test]
    public async Task Models_are_listed_and_described()
    {
        await ReadAsync(_client, Request("Hi", stream: false));

        (await _client.IsRunningAsync()).Should().BeTrue();
        Version.TryParse(await _client.GetVersionAsync(), out _).Should().BeTrue();
        (await _client.ListLocalModelsAsync()).Should().ContainSingle(model => model.Name == TestServer.Demo && model.Details.Format == "gguf");
        (await _client.ListRunningModelsAsync()).Should().ContainSingle(model => model.Name == TestServer.Demo && model.Size > 9_000_000);
        ShowModelResponse shown = await _client.ShowModelAsync(new ShowModelRequest { Model = TestServer.Demo });
        shown.Info.Architecture.Should().Be("qwen3moe");
        shown.Capabilities.Should().Contain("completion");
    }

    [Test]
    public async Task Errors_are_told()
    {
        ChatRequest unknown = Request("Hi", stream: true);
        unknown.Model = "nothing";
        Func<Task> asking = () => ReadAsync(_client, unknown);

        (await asking.Should().ThrowAsync<Exception>()).Which.Should().Match<Exception>(
            error => error is OllamaException || error is HttpRequestException).And.Match<Exception>(error => error.Message.Contains("nothing") || error.Message.Contains("404"));
    }

    private static ChatRequest Request(string question, bool stream) => new()
    {
        Model = TestServer.Demo,
        Messages = [new Message(Role.User, question)],
        Stream = stream,
        Options = new RequestOptions { Temperature = 0, NumPredict = 24 },
    };

    private static async Task<List<ChatResponseStream>> ReadAsync(OllamaApiClient client, ChatRequest request)
    {
        List<ChatResponseStream> parts = [];
        await foreach (ChatResponseStream? part in client.ChatAsync(request))
        {
            parts.Add(part!);
        }

        return parts;
    }
}
