using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>A chat that is too long for the context leaves out its oldest turns and says so, or fails.</summary>
[TestFixture]
public sealed class ChatOverflowTests : IDisposable
{
    private const int Length = 512;

    private readonly RecordedLog _log = new();
    private MoeModel _model = null!;
    private GenerationSession _session = null!;

    [OneTimeSetUp]
    public void Load()
    {
        _model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)), new ModelOptions { LoggerFactory = _log });
        _session = _model.CreateSession(SmallModel.Context(Length));
    }

    public void Dispose()
    {
        _session?.Dispose();
        _model?.Dispose();
        _log.Dispose();
    }

    [Test]
    public async Task Chat_never_ends_because_it_has_grown()
    {
        List<ChatMessage> chat = [ChatMessage.System("You are a pirate.")];
        List<int> omitted = [];
        List<int> cached = [];
        for (int turn = 0; turn < 30; turn++)
        {
            chat.Add(ChatMessage.User($"Question number {turn}: what is there to say about the sea and its ships?"));
            ChatStream stream = _session.ChatAsync(chat, Options);
            chat.Add((await stream.CompleteAsync()).Message!);

            stream.PromptTokenCount.Should().BeLessThanOrEqualTo(Length - Options.MaxTokens!.Value);
            stream.Chat!.Prompt.Should().Contain("You are a pirate.").And.Contain($"number {turn}:");
            omitted.Add(stream.OmittedMessageCount);
            cached.Add(stream.Statistics!.CachedPromptTokens);
        }

        omitted[0].Should().Be(0);
        omitted[^1].Should().BePositive().And.BeLessThan(58);
        omitted.Should().BeInAscendingOrder().And.OnlyContain(count => count % 2 == 0, "whole turns are left out");
        omitted.Distinct().Count().Should().BeLessThan(20, "most answers leave out the same turns");
        cached.Skip(15).Where(count => count > 100).Should().HaveCountGreaterThan(3, "so that their prompts stay in the prefix cache");
        _log.Lines.Should().Contain(line => line.Text.Contains("Left out") && line.Text.Contains("the oldest turns"));
    }

    [Test]
    public async Task Chat_that_must_not_be_shortened_fails_with_both_numbers()
    {
        ChatStream stream = _session.ChatAsync(Long(40), Options with { Overflow = ChatOverflow.Error });

        ContextFullException error = (await stream.Awaiting(it => it.CompleteAsync()).Should().ThrowAsync<ContextFullException>()).Which;
        error.PromptTokens.Should().BeGreaterThan(Length);
        error.MaxPromptTokens.Should().Be(Length);
        error.Message.Should().NotContain("SequenceCount", "the context is not divided");
    }

    [Test]
    public async Task Last_turn_that_does_not_fit_fails()
    {
        ChatStream stream = _session.ChatAsync([.. Long(3), ChatMessage.User(string.Join(' ', Enumerable.Repeat("word", 2000)))], Options);

        await stream.Awaiting(it => it.CompleteAsync()).Should().ThrowAsync<ContextFullException>();
    }

    [Test]
    public async Task Chat_that_fits_is_not_touched()
    {
        ChatMessage[] chat = [.. Long(2), ChatMessage.User("And?")];
        ChatStream stream = _session.ChatAsync(chat, Options);
        await stream.CompleteAsync();

        stream.OmittedMessageCount.Should().Be(0);
        stream.Chat!.Prompt.Should().Be(_model.ChatTemplate.Render(chat, Options).Prompt);
    }

    [Test]
    public async Task Answer_that_fills_the_context_goes_on_if_it_may_shift()
    {
        ChatStream stream = _session.ChatAsync(
            [ChatMessage.User("Tell me a story.")],
            new ChatOptions
            {
                Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
                MaxTokens = 2 * Length,
                ContextFull = ContextFullAction.Shift,
                KeepTokens = 16,
                Reasoning = false,
            });

        (await stream.CompleteAsync()).Statistics!.GeneratedTokens.Should().Be(2 * Length);
    }

    private static ChatOptions Options { get; } = new() { Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, MaxTokens = 24, Reasoning = false };

    private static ChatMessage[] Long(int turns) =>
    [
        .. Enumerable.Range(0, turns).SelectMany(i => new[]
        {
            ChatMessage.User($"What about {i}?"),
            ChatMessage.Assistant("It is a number between the one before it and the one after it."),
        }),
    ];
}
