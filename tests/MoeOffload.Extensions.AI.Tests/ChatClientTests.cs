using System.Diagnostics;
using System.Text.Json;
using FluentAssertions;
using Microsoft.Extensions.AI;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>A chat client on the demo model, by itself and below the decorators of Microsoft.Extensions.AI.</summary>
[TestFixture]
public sealed class ChatClientTests
{
    private static readonly ChatMessage[] s_question = [new(ChatRole.User, "Tell me a story about a dog.")];
    private static readonly ChatOptions s_greedy = new() { Temperature = 0, MaxOutputTokens = 24 };

    private MoeModel _model = null!;
    private IChatClient _client = null!;

    [OneTimeSetUp]
    public async Task Load()
    {
        _model = await MoeModel.LoadAsync(DemoModel.Path);
        _client = _model.AsChatClient(new ContextOptions { ContextLength = 4 * 512, SequenceCount = 4 }, new MoeChatClientOptions { KeptConversations = 2 });
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _client.Dispose();
        _model.Dispose();
    }

    [Test]
    public async Task Response_and_stream_have_the_same_text_reason_and_usage()
    {
        ChatResponse whole = await _client.GetResponseAsync(s_question, s_greedy);
        List<ChatResponseUpdate> updates = await _client.GetStreamingResponseAsync(s_question, s_greedy).ToListAsync();
        ChatResponse streamed = updates.ToChatResponse();

        whole.Text.Should().NotBeEmpty();
        whole.FinishReason.Should().Be(ChatFinishReason.Length);
        whole.Usage!.OutputTokenCount.Should().Be(24);
        whole.Usage.TotalTokenCount.Should().Be(whole.Usage.InputTokenCount + 24);
        whole.Usage.InputTokenCount.Should().Be(await _model.CountTokensAsync(s_question, s_greedy));
        whole.ModelId.Should().Be("tiny-moe");
        whole.ResponseId.Should().NotBeNullOrEmpty();
        whole.Messages.Should().ContainSingle().Which.Role.Should().Be(ChatRole.Assistant);
        whole.RawRepresentation.Should().BeOfType<Chat.ChatUpdate>();

        updates.Count.Should().BeGreaterThan(1);
        updates.Select(update => update.ResponseId).Distinct().Should().ContainSingle();
        streamed.Text.Should().Be(whole.Text);
        streamed.FinishReason.Should().Be(whole.FinishReason);
        streamed.Usage!.OutputTokenCount.Should().Be(24);
        streamed.Usage.CachedInputTokenCount.Should().BePositive("the first request computed the prompt");
    }

    [Test]
    public async Task Conversation_needs_only_new_messages_and_can_branch()
    {
        ChatResponse first = await _client.GetResponseAsync(s_question, s_greedy);
        ChatOptions options = s_greedy.Clone();
        options.ConversationId = first.ConversationId;
        ChatResponse second = await _client.GetResponseAsync([new ChatMessage(ChatRole.User, "And then?")], options);
        ChatResponse stateless = await _client.GetResponseAsync([.. s_question, .. first.Messages, new ChatMessage(ChatRole.User, "And then?")], s_greedy);

        second.Text.Should().Be(stateless.Text);
        second.Usage!.InputTokenCount.Should().Be(stateless.Usage!.InputTokenCount);
        second.ConversationId.Should().NotBe(first.ConversationId, "a conversation can be continued from each of its responses");
        options.ConversationId = "resp_unknown";
        await FluentActions.Awaiting(() => _client.GetResponseAsync(s_question, options)).Should().ThrowAsync<ArgumentException>().WithMessage("*resp_unknown*");
    }

    [Test]
    public async Task Chat_that_is_too_long_loses_its_oldest_turns_and_the_usage_says_how_many_messages()
    {
        ChatMessage[] chat =
        [
            .. Enumerable.Range(0, 60).SelectMany(i => new ChatMessage[] { new(ChatRole.User, $"What is {i} and what comes after it?"), new(ChatRole.Assistant, "It is one of the numbers that I know.") }),
            .. s_question,
        ];

        ChatResponse response = await _client.GetResponseAsync(chat, s_greedy);

        response.Usage!.InputTokenCount.Should().BeLessThan(512);
        response.Usage.AdditionalCounts!["OmittedMessageCount"].Should().BeInRange(2, 118);
        (await _client.GetResponseAsync(s_question, s_greedy)).Usage!.AdditionalCounts.Should().BeNull();
        using IChatClient strict = _model.AsChatClient(
            new ContextOptions { ContextLength = 512 }, new MoeChatClientOptions { Defaults = new Chat.ChatOptions { Overflow = Chat.ChatOverflow.Error } });
        await FluentActions.Awaiting(() => strict.GetResponseAsync(chat, s_greedy)).Should().ThrowAsync<ContextFullException>();
    }

    [Test]
    public async Task Client_that_keeps_no_conversations_says_so()
    {
        using GenerationSession session = _model.CreateSession(new ContextOptions { ContextLength = 256 });
        using IChatClient client = session.AsChatClient();
        (await client.GetResponseAsync(s_question, s_greedy)).ConversationId.Should().BeNull();
        await FluentActions.Awaiting(() => client.GetResponseAsync(s_question, new ChatOptions { ConversationId = "x" }))
            .Should().ThrowAsync<NotSupportedException>().WithMessage("*KeptConversations*");
    }

    [Test]
    public async Task Typed_response_has_the_type()
    {
        ChatResponse<Dog> response = await _client.GetResponseAsync<Dog>(s_question, new ChatOptions { Seed = 1, MaxOutputTokens = 200 });
        response.FinishReason.Should().Be(ChatFinishReason.Stop, "of {0}", response.Text);
        response.Result.Age.Should().BeInRange(int.MinValue, int.MaxValue);
        response.Result.Kind.Should().BeOneOf(Kind.Poodle, Kind.Terrier);
    }

    [Test]
    public async Task Json_mode_returns_an_object()
    {
        ChatResponse response = await _client.GetResponseAsync(
            s_question, new ChatOptions { ResponseFormat = ChatResponseFormat.Json, Temperature = 0, MaxOutputTokens = 400 });
        response.Text.Should().StartWith("{");
        if (response.FinishReason == ChatFinishReason.Stop)
        {
            JsonDocument.Parse(response.Text).RootElement.ValueKind.Should().Be(JsonValueKind.Object);
        }
    }

    [Test]
    public async Task Canceled_stream_ends_and_the_next_request_is_answered()
    {
        using var cancellation = new CancellationTokenSource();
        int count = 0;
        Func<Task> reading = async () =>
        {
            await foreach (ChatResponseUpdate update in _client.GetStreamingResponseAsync(s_question, new ChatOptions(), cancellation.Token))
            {
                count++;
                await cancellation.CancelAsync();
            }
        };
        await reading.Should().ThrowAsync<OperationCanceledException>();
        count.Should().BePositive();
        (await _client.GetResponseAsync(s_question, s_greedy)).Text.Should().NotBeEmpty();
    }

    [Test]
    public void Client_gives_access_to_what_is_below_it()
    {
        _client.GetService<MoeModel>().Should().BeSameAs(_model);
        _client.GetService<GenerationSession>()!.Model.Should().BeSameAs(_model);
        _client.GetService<ChatClientMetadata>().Should().BeEquivalentTo(new { ProviderName = "moeoffload", DefaultModelId = "tiny-moe" });
        _client.GetService<IChatClient>().Should().BeSameAs(_client);
        _client.GetService<string>().Should().BeNull();
    }

    [Test]
    public async Task Session_outlives_a_client_that_does_not_own_it()
    {
        using GenerationSession session = _model.CreateSession(new ContextOptions { ContextLength = 256 });
        session.AsChatClient().Dispose();
        (await session.AsChatClient().GetResponseAsync(s_question, s_greedy)).Text.Should().NotBeEmpty();
        IChatClient owner = _model.AsChatClient(new ContextOptions { ContextLength = 256 });
        owner.Dispose();
        await FluentActions.Awaiting(() => owner.GetResponseAsync(s_question)).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Test]
    public async Task Telemetry_of_the_decorator_names_provider_model_and_usage()
    {
        var activities = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "moe-tests",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activities.Add,
        };
        ActivitySource.AddActivityListener(listener);
        IChatClient client = _client.AsBuilder().UseOpenTelemetry(sourceName: "moe-tests").UseLogging(Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance).Build();
        await client.GetResponseAsync(s_question, s_greedy);

        Activity activity = activities.Should().ContainSingle().Subject;
        activity.GetTagItem("gen_ai.operation.name").Should().Be("chat");
        activity.GetTagItem("gen_ai.provider.name").Should().Be("moeoffload");
        activity.GetTagItem("gen_ai.response.model").Should().Be("tiny-moe");
        activity.GetTagItem("gen_ai.usage.output_tokens").Should().Be(24);
    }

    public enum Kind
    {
        Poodle,
        Terrier,
    }

    public sealed record Dog(Kind Kind, int Age);
}
