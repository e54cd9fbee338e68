using FluentAssertions;
using Microsoft.Agents.AI;
using Microsoft.Agents.AI.Workflows;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
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

    [Test]
    public async Task Agents_of_a_workflow_answer_one_after_the_other()
    {
        AIAgent writer = new ChatClientAgent(_client, instructions: "You tell stories.", name: "writer");
        AIAgent reader = new ChatClientAgent(_client, instructions: "You answer.", name: "reader");
        Workflow workflow = AgentWorkflowBuilder.BuildSequential(writer, reader);
        List<ChatMessage>? output = null;
        await using StreamingRun run = await InProcessExecution.RunStreamingAsync(workflow, new List<ChatMessage> { new(ChatRole.User, Question) });
        await run.TrySendMessageAsync(new TurnToken(emitEvents: false));
        await foreach (WorkflowEvent happened in run.WatchStreamAsync())
        {
            output = happened is WorkflowOutputEvent end ? end.As<List<ChatMessage>>() : output;
        }

        string expected = (await _client.GetResponseAsync(Question, new ChatOptions { Instructions = "You tell stories." })).Text;
        output.Should().NotBeNull();
        output!.Select(message => message.Text).Should().HaveCountGreaterThan(1).And.Contain(expected);
        output![^1].AuthorName.Should().Be("reader");
    }

    [Test]
    public async Task Cache_answers_the_same_request_without_the_model()
    {
        var cache = new MemoryDistributedCache(Options.Create(new MemoryDistributedCacheOptions()));
        int requests = 0;
        IChatClient client = _client.AsBuilder()
            .UseDistributedCache(cache)
            .Use((messages, options, next, token) =>
            {
                requests++;
                return next(messages, options, token);
            })
            .Build();
        ChatResponse first = await client.GetResponseAsync(Question);
        ChatResponse second = await client.GetResponseAsync(Question);

        requests.Should().Be(1);
        second.Text.Should().Be(first.Text).And.NotBeEmpty();
        second.Usage!.OutputTokenCount.Should().Be(first.Usage!.OutputTokenCount);
        (await client.GetResponseAsync("Tell me a story about a cat.")).Text.Should().NotBeEmpty();
        requests.Should().Be(2);
    }

    [Test]
    public async Task Reducer_keeps_a_growing_chat_within_its_tokens()
    {
        IChatClient client = _client.AsBuilder().UseChatReducer(new ContextChatReducer(_model, 200)).Build();
        List<ChatMessage> chat = [];
        for (int turn = 0; turn < 12; turn++)
        {
            chat.Add(new ChatMessage(ChatRole.User, Question));
            ChatResponse response = await client.GetResponseAsync(chat, new ChatOptions { MaxOutputTokens = 8 });
            response.Usage!.InputTokenCount.Should().BeLessThanOrEqualTo(200);
            chat.AddMessages(response);
        }

        (await _model.CountTokensAsync(chat)).Should().BeGreaterThan(200, "the chat has outgrown the limit");
    }

    [Test]
    public async Task Evaluator_gets_typed_ratings_from_the_model()
    {
        ChatMessage[] question = [new(ChatRole.User, Question)];
        ChatResponse answer = await _client.GetResponseAsync(question);
        var evaluator = new CompositeEvaluator(new Judge(), new LengthEvaluator());
        EvaluationResult result = await evaluator.EvaluateAsync(question, answer, new ChatConfiguration(_client));

        result.Metrics.Values.SelectMany(metric => metric.Diagnostics ?? []).Select(diagnostic => diagnostic.Message).Should().BeEmpty();
        result.Get<NumericMetric>("Rating").Value.Should().BeOneOf(1, 2, 3);
        result.Get<BooleanMetric>("Short").Value.Should().BeTrue();
    }

    private enum Rating
    {
        Poor = 1,
        Fair,
        Good,
    }

    private sealed class Judge : IEvaluator
    {
        public IReadOnlyCollection<string> EvaluationMetricNames => ["Rating"];

        public async ValueTask<EvaluationResult> EvaluateAsync(
            IEnumerable<ChatMessage> messages,
            ChatResponse modelResponse,
            ChatConfiguration? chatConfiguration = null,
            IEnumerable<EvaluationContext>? additionalContext = null,
            CancellationToken cancellationToken = default)
        {
            ChatResponse<Rating> rating = await chatConfiguration!.ChatClient.GetResponseAsync<Rating>(
                $"Rate this story: {modelResponse.Text}", new ChatOptions { MaxOutputTokens = 200 }, cancellationToken: cancellationToken);
            return new EvaluationResult(new NumericMetric("Rating", (int)rating.Result));
        }
    }

    private sealed class LengthEvaluator : IEvaluator
    {
        public IReadOnlyCollection<string> EvaluationMetricNames => ["Short"];

        public ValueTask<EvaluationResult> EvaluateAsync(
            IEnumerable<ChatMessage> messages,
            ChatResponse modelResponse,
            ChatConfiguration? chatConfiguration = null,
            IEnumerable<EvaluationContext>? additionalContext = null,
            CancellationToken cancellationToken = default) =>
            new(new EvaluationResult(new BooleanMetric("Short", modelResponse.Usage!.OutputTokenCount <= 24)));
    }
}
