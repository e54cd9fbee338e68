using FluentAssertions;
using Microsoft.Extensions.AI;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>Chats that are too long lose their oldest turns, or have them summarized, counted in tokens of the model.</summary>
[TestFixture]
public sealed class ContextChatReducerTests
{
    private MoeModel _model = null!;

    [OneTimeSetUp]
    public async Task Load() => _model = await MoeModel.LoadAsync(DemoModel.Path);

    [OneTimeTearDown]
    public void Unload() => _model.Dispose();

    [Test]
    public async Task Oldest_turns_are_removed_and_instructions_and_the_last_one_are_kept()
    {
        List<ChatMessage> chat = CreateChat(20);
        int all = await _model.CountTokensAsync(chat);
        int limit = all / 2;
        ChatMessage[] reduced = [.. await new ContextChatReducer(_model, limit).ReduceAsync(chat, default)];

        int kept = await _model.CountTokensAsync(reduced);
        kept.Should().BeLessThanOrEqualTo(limit);
        reduced[0].Text.Should().Be("Be kind.");
        reduced[1].Role.Should().Be(ChatRole.User);
        reduced[^1].Text.Should().Be("The last question?");
        chat.TakeLast(reduced.Length - 1).Should().Equal(reduced.Skip(1));
        (await _model.CountTokensAsync([chat[0], .. chat.TakeLast(reduced.Length + 1)])).Should().BeGreaterThan(limit, "no more than needed is removed");
        (await new ContextChatReducer(_model, all).ReduceAsync(chat, default)).Should().Equal(chat);
        (await new ContextChatReducer(_model, 1).ReduceAsync(chat, default)).Should().Equal(chat[0], chat[^1]);
    }

    [Test]
    public async Task Summary_replaces_the_oldest_turns_and_covers_each_of_them_once()
    {
        List<ChatMessage> chat = CreateChat(20);
        int limit = await _model.CountTokensAsync(chat) / 2;
        using var client = new Summarizer();
        var reducer = new ContextChatReducer(_model, limit) { Summarizer = client, MaxSummaryTokens = 24 };

        ChatMessage[] reduced = [.. await reducer.ReduceAsync(chat, default)];

        (await _model.CountTokensAsync(reduced)).Should().BeLessThanOrEqualTo(limit);
        reduced[0].Text.Should().Be("Be kind.");
        (reduced[1].Role, reduced[1].Text).Should().Be((ChatRole.Assistant, $"Summary {client.Prompts.Count}."));
        reduced[2].Role.Should().Be(ChatRole.User);
        chat.TakeLast(reduced.Length - 2).Should().Equal(reduced.Skip(2));
        string asked = string.Concat(client.Prompts);
        for (int turn = 0; turn < 20; turn++)
        {
            int times = asked.Split($"user: Question {turn} of").Length - 1;
            bool isKept = reduced.Any(message => message.Text == $"Question {turn} of this chat?");
            times.Should().Be(isKept ? 0 : 1, "of turn {0}", turn);
        }
    }

    [Test]
    public async Task Longer_chat_is_summarized_from_its_last_summary_on()
    {
        List<ChatMessage> chat = CreateChat(20);
        int limit = await _model.CountTokensAsync(chat) / 2;
        using var client = new Summarizer();
        var reducer = new ContextChatReducer(_model, limit) { Summarizer = client, MaxSummaryTokens = 24 };
        ChatMessage[] first = [.. await reducer.ReduceAsync(chat, default)];
        int asked = client.Prompts.Count;

        (await reducer.ReduceAsync(chat, default)).Select(message => message.Text).Should().Equal(first.Select(message => message.Text));
        client.Prompts.Should().HaveCount(asked, "the summary is known");

        // As if the application had kept the whole chat, or what was left of it.
        foreach (List<ChatMessage> kept in new[] { chat, [.. first] })
        {
            asked = client.Prompts.Count;
            for (int turn = 0; turn < 20; turn++)
            {
                kept.Add(new ChatMessage(ChatRole.Assistant, $"Late answer {turn}."));
                kept.Add(new ChatMessage(ChatRole.User, $"Late question {turn}?"));
            }

            ChatMessage[] reduced = [.. await reducer.ReduceAsync(kept, default)];
            (await _model.CountTokensAsync(reduced)).Should().BeLessThanOrEqualTo(limit);
            client.Prompts.Count.Should().BeGreaterThan(asked);
            client.Prompts[asked].Should().Contain(first[1].Text, "the summary goes on").And.NotContain("Question 0 of");
            reduced.Count(message => message.Text.StartsWith("Summary", StringComparison.Ordinal)).Should().Be(1);
            reduced[^1].Text.Should().Be("Late question 19?");
        }
    }

    [Test]
    public async Task Turns_beyond_the_context_are_summarized_in_parts_and_a_long_summary_is_cut()
    {
        string story = string.Concat(Enumerable.Range(0, 400).Select(number => $"The dog found {number} \U0001F436 bones. "));
        ChatMessage[] chat = [new(ChatRole.User, story), new(ChatRole.Assistant, "Well done."), new(ChatRole.User, "And then?")];
        using var client = new Summarizer { Answer = string.Concat(Enumerable.Repeat("very long \U0001F436 ", 100)) };
        ChatMessage[] reduced = [.. await new ContextChatReducer(_model, 200) { Summarizer = client, MaxSummaryTokens = 20 }.ReduceAsync(chat, default)];

        client.Prompts.Count.Should().BeGreaterThan(10);
        client.Prompts.Should().OnlyContain(prompt => _model.Vocabulary.Tokenize(prompt, false, false).Length <= 200);
        string.Concat(client.Prompts).Should().NotContain("\uFFFD").And.Contain("found 0 ").And.Contain("found 399 ");
        (await _model.CountTokensAsync(reduced)).Should().BeLessThanOrEqualTo(200);
        _model.Vocabulary.Tokenize(reduced[0].Text, false, false).Should().HaveCountLessThanOrEqualTo(20);
    }

    [Test]
    public async Task Calls_and_results_are_summarized_as_the_model_would_read_them()
    {
        ChatMessage[] chat =
        [
            new(ChatRole.User, "Which bones are there?"),
            new(ChatRole.Assistant, [new FunctionCallContent("call00001", "find", new Dictionary<string, object?> { ["kind"] = "bone" })]),
            new(ChatRole.Tool, [new FunctionResultContent("call00001", new { Count = 7 })]),
            new(ChatRole.Assistant, "There are seven bones."),
            new(ChatRole.User, "And now?"),
        ];
        using var client = new Summarizer();
        await new ContextChatReducer(_model, await _model.CountTokensAsync(chat) - 1) { Summarizer = client, MaxSummaryTokens = 20 }.ReduceAsync(chat, default);

        string asked = string.Concat(client.Prompts);
        asked.Should().Contain("""find({"kind":"bone"})""").And.Contain("seven bones").And.MatchRegex("tool: .*7");
    }

    [Test]
    public async Task Model_summarizes_its_own_chat()
    {
        using IChatClient client = _model.AsChatClient(new ContextOptions { ContextLength = 512 });
        ChatMessage[] reduced = [.. await new ContextChatReducer(_model, 128) { Summarizer = client }.ReduceAsync(CreateChat(20), default)];
        reduced.Should().HaveCountGreaterThan(2);
        reduced[1].Role.Should().Be(ChatRole.Assistant);
        reduced[1].Text.Should().NotBeEmpty();
        (await _model.CountTokensAsync(reduced)).Should().BeLessThanOrEqualTo(128);
    }

    [Test]
    public async Task Empty_summary_leaves_the_turns_out()
    {
        using var client = new Summarizer { Answer = " " };
        List<ChatMessage> chat = CreateChat(20);
        ChatMessage[] reduced = [.. await new ContextChatReducer(_model, 128) { Summarizer = client }.ReduceAsync(chat, default)];
        reduced.Should().Equal([chat[0], .. chat.TakeLast(reduced.Length - 1)]);
    }

    [Test]
    public void Summary_must_leave_room_for_the_chat()
    {
        FluentActions.Invoking(() => new ContextChatReducer(_model, 100) { MaxSummaryTokens = 100 }).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new ContextChatReducer(_model, 100) { MaxSummaryTokens = 0 }).Should().Throw<ArgumentOutOfRangeException>();
        new ContextChatReducer(_model, 800).MaxSummaryTokens.Should().Be(100);
    }

    private static List<ChatMessage> CreateChat(int turns)
    {
        List<ChatMessage> chat = [new(ChatRole.System, "Be kind.")];
        for (int turn = 0; turn < turns; turn++)
        {
            chat.Add(new ChatMessage(ChatRole.User, $"Question {turn} of this chat?"));
            chat.Add(new ChatMessage(ChatRole.Assistant, $"Answer {turn}."));
        }

        chat.Add(new ChatMessage(ChatRole.User, "The last question?"));
        return chat;
    }

    // Answers with a number, so that each summary can be told from the others.
    private sealed class Summarizer : IChatClient
    {
        public List<string> Prompts { get; } = [];

        public string? Answer { get; init; }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            Prompts.Add(messages.Single().Text);
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, Answer ?? $"Summary {Prompts.Count}.")));
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
