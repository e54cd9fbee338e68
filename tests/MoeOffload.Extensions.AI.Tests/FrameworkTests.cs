using FluentAssertions;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>What is built on Microsoft.Extensions.AI gets the same answers: Semantic Kernel and the Agent Framework.</summary>
[TestFixture]
public sealed class FrameworkTests
{
    private const string Question = "Tell me a story about a dog.";

    private MoeModel _model = null!;
    private IChatClient _client = null!;

    [OneTimeSetUp]
    public async Task Load()
    {
        _model = await MoeModel.LoadAsync(DemoModel.Path);
        _client = _model.AsChatClient(new ContextOptions { ContextLength = 1024 }, new MoeChatClientOptions
        {
            Defaults = new Chat.ChatOptions { Sampling = SamplingOptions.Greedy, MaxTokens = 24 },
        });
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _client.Dispose();
        _model.Dispose();
    }

    [Test]
    public async Task Semantic_kernel_chats()
    {
        string expected = (await _client.GetResponseAsync(Question, new ChatOptions { MaxOutputTokens = 12 })).Text;
        IChatCompletionService service = _client.AsChatCompletionService();
        var settings = new PromptExecutionSettings { ExtensionData = new Dictionary<string, object> { ["max_tokens"] = 12 } };
        var history = new ChatHistory();
        history.AddUserMessage(Question);

        (await service.GetChatMessageContentAsync(history, settings)).Content.Should().Be(expected);
        string streamed = string.Empty;
        await foreach (StreamingChatMessageContent part in service.GetStreamingChatMessageContentsAsync(history, settings))
        {
            streamed += part.Content;
        }

        streamed.Should().Be(expected);
    }

    [Test]
    public async Task Semantic_kernel_prompts_of_functions_are_answered()
    {
        IKernelBuilder builder = Kernel.CreateBuilder();
        builder.Services.AddSingleton(_client.AsChatCompletionService());
        Kernel kernel = builder.Build();
        FunctionResult result = await kernel.InvokePromptAsync("Tell me a story about a {{$animal}}.", new KernelArguments { ["animal"] = "dog" });
        result.GetValue<string>().Should().Be((await _client.GetResponseAsync(Question)).Text);
    }

    [Test]
    public async Task Agent_answers_in_several_turns()
    {
        AIAgent agent = new ChatClientAgent(_client, instructions: "You tell stories.");
        AgentSession session = await agent.CreateSessionAsync();
        AgentResponse first = await agent.RunAsync(Question, session);
        AgentResponse second = await agent.RunAsync("And then?", session);

        var options = new ChatOptions { Instructions = "You tell stories." };
        string expectedFirst = (await _client.GetResponseAsync(Question, options)).Text;
        first.Text.Should().Be(expectedFirst);
        second.Text.Should().Be((await _client.GetResponseAsync(
            [new ChatMessage(ChatRole.User, Question), new ChatMessage(ChatRole.Assistant, expectedFirst), new ChatMessage(ChatRole.User, "And then?")], options)).Text);
        second.Usage!.OutputTokenCount.Should().Be(24);
    }
}
