using System.ClientModel;
using FluentAssertions;
using Microsoft.Extensions.AI;
using NUnit.Framework;
using OpenAI;

namespace MoeOffload.Server.Tests;

/// <summary>Microsoft.Extensions.AI over OpenAI's client, unchanged.</summary>
[TestFixture]
public sealed class MicrosoftExtensionsTests
{
    private TestServer _server = null!;
    private TestServer _calling = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await TestServer.StartAsync();
        _calling = await CallingModel.StartAsync();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _server.DisposeAsync();
        await _calling.DisposeAsync();
    }

    [Test]
    public async Task Chat_is_answered_streamed_or_not()
    {
        using IChatClient client = Client(_server).GetChatClient(TestServer.Demo).AsIChatClient();
        var options = new ChatOptions { Temperature = 0, MaxOutputTokens = 24 };
        ChatResponse whole = await client.GetResponseAsync("What do bees make?", options);
        whole.Text.Should().NotBeEmpty();
        whole.FinishReason.Should().Be(ChatFinishReason.Stop);
        whole.Usage!.OutputTokenCount.Should().BePositive();
        (await client.GetStreamingResponseAsync("What do bees make?", options).ToChatResponseAsync()).Text.Should().Be(whole.Text);
    }

    [Test]
    public async Task Answer_is_of_a_type()
    {
        using IChatClient client = Client(_server).GetChatClient(TestServer.Demo).AsIChatClient();
        ChatResponse<Color> answer = await client.GetResponseAsync<Color>("Which color?", new ChatOptions { Temperature = 0, MaxOutputTokens = 200 });
        answer.Result.Name.Should().BeOneOf(Names.Red, Names.Blue);
    }

    [Test]
    public async Task Tool_is_called_and_its_result_sent([Values] bool stream)
    {
        using IChatClient client = Client(_calling).GetChatClient(_calling.Models.List()[0].Entry.Name).AsIChatClient();
        AIFunction weather = AIFunctionFactory.Create((Cities city) => $"sunny in {city}", "get_weather", "Tells the weather");
        var options = new ChatOptions { Tools = [weather], ToolMode = ChatToolMode.RequireAny, AllowMultipleToolCalls = false, MaxOutputTokens = 1000 };
        List<ChatMessage> messages = [new(ChatRole.User, "How is the weather?")];
        ChatResponse answer = stream
            ? await client.GetStreamingResponseAsync(messages, options).ToChatResponseAsync()
            : await client.GetResponseAsync(messages, options);
        FunctionCallContent call = answer.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>().Single();
        object? result = await weather.InvokeAsync(new AIFunctionArguments(call.Arguments));
        result!.ToString().Should().StartWith("sunny in ");

        messages.AddRange(answer.Messages);
        messages.Add(new ChatMessage(ChatRole.Tool, [new FunctionResultContent(call.CallId, result)]));
        options.ToolMode = ChatToolMode.None;
        options.MaxOutputTokens = 2;
        (await client.GetResponseAsync(messages, options)).Usage!.OutputTokenCount.Should().BePositive();
    }

    [Test]
    public async Task Texts_are_embedded()
    {
        using IEmbeddingGenerator<string, Embedding<float>> generator = Client(_server).GetEmbeddingClient(TestServer.Demo).AsIEmbeddingGenerator();
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(["a bee", "a fox"]);
        embeddings.Should().HaveCount(2);
        embeddings[0].Vector.Length.Should().BePositive();
    }

    private static OpenAIClient Client(TestServer server) =>
        new(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "v1") });

    private enum Names
    {
        Red,
        Blue,
    }

    private enum Cities
    {
        Oslo,
        Rome,
    }

    private sealed record Color(Names Name);
}
