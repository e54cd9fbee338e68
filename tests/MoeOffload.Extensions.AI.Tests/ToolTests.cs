using FluentAssertions;
using Microsoft.Extensions.AI;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>Calls of tools by a model that begins its answers with a call, because a bias makes it; the grammar does the rest.</summary>
[TestFixture]
public sealed class ToolTests
{
    private const string CallToken = "[TOOL_CALLS]";

    private MoeModel _model = null!;
    private IChatClient _client = null!;

    [OneTimeSetUp]
    public async Task Load()
    {
        _model = await MoeModel.LoadAsync(RealTemplates.Write(RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407"), null, null, CallToken));
        int call = _model.Vocabulary.Tokenize(CallToken, addSpecial: false, parseSpecial: true).Single();
        _client = _model.AsChatClient(new ContextOptions { ContextLength = 4096 }, new MoeChatClientOptions
        {
            Defaults = new Chat.ChatOptions
            {
                Reasoning = false,
                ParallelToolCalls = false,
                MaxTokens = 1000,
                Sampling = new SamplingOptions { Seed = 1, Temperature = 3, TopK = 0, TopP = 1, MinP = 0, LogitBias = new Dictionary<int, float> { [call] = 50 } },
            },
        });
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _client.Dispose();
        _model.Dispose();
    }

    [Test]
    public async Task Call_has_the_arguments_of_the_schema([Values] bool isStreamed)
    {
        AIFunctionDeclaration paint = AIFunctionFactory.Create((Color color, bool again) => "done", "paint", "Paints").AsDeclarationOnly();
        var options = new ChatOptions { Tools = [paint], ToolMode = ChatToolMode.RequireAny };
        ChatMessage[] messages = [new(ChatRole.User, "Paint.")];
        ChatResponse response = isStreamed
            ? await _client.GetStreamingResponseAsync(messages, options).ToChatResponseAsync()
            : await _client.GetResponseAsync(messages, options);

        response.FinishReason.Should().Be(ChatFinishReason.ToolCalls, "of {0}", response.Text);
        FunctionCallContent call = response.Messages.Single().Contents.OfType<FunctionCallContent>().Should().ContainSingle().Subject;
        call.Name.Should().Be("paint");
        call.CallId.Should().HaveLength(9, "the template requires it");
        call.Exception.Should().BeNull();
        call.Arguments!["color"]!.ToString().Should().BeOneOf("Red", "Blue");
    }

    [Test]
    public async Task Function_is_invoked_with_typed_arguments_and_its_result_goes_back()
    {
        List<(Color Color, bool Again)> calls = [];
        AIFunction paint = AIFunctionFactory.Create((Color color, bool again) =>
        {
            calls.Add((color, again));
            return $"painted {color}";
        }, "paint", "Paints");
        using var client = new FunctionInvokingChatClient(_client) { MaximumIterationsPerRequest = 2 };

        ChatResponse response = await client.GetResponseAsync(
            [new ChatMessage(ChatRole.User, "Paint.")], new ChatOptions { Tools = [paint], ToolMode = ChatToolMode.RequireAny });

        calls.Should().NotBeEmpty();
        calls.Should().OnlyContain(call => Enum.IsDefined(call.Color));
        FunctionResultContent result = response.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().First();
        result.Result!.ToString().Should().Be($"painted {calls[0].Color}");
    }

    public enum Color
    {
        Red,
        Blue,
    }
}
