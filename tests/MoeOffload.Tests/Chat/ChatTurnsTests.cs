using FluentAssertions;
using MoeOffload.Chat;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>Checks which turns of a chat are left out, without a model: a word is a token.</summary>
[TestFixture]
public sealed class ChatTurnsTests
{
    private static readonly ToolCall s_call = new() { Id = "1", Name = "look", Arguments = "{}" };

    [Test]
    public void Turn_is_everything_from_a_question_to_the_next_one()
    {
        ChatMessage[] chat =
        [
            ChatMessage.System("Be brief."),
            ChatMessage.User("first"),
            ChatMessage.Assistant(string.Empty) with { ToolCalls = [s_call] },
            ChatMessage.ToolResult(s_call, "found"),
            ChatMessage.Assistant("here"),
            ChatMessage.User("second"),
            ChatMessage.System("Be polite."),
            ChatMessage.Assistant("there"),
            ChatMessage.User("third"),
        ];
        var turns = new ChatTurns(chat);

        turns.Count.Should().Be(3);
        turns.Without(0).Should().BeSameAs(chat);
        turns.Without(1).Should().Equal(chat[0], chat[5], chat[6], chat[7], chat[8]);
        turns.Without(2).Should().Equal([chat[0], chat[6], chat[8]], "system messages stay");
    }

    [Test]
    public void Chat_of_one_turn_has_nothing_to_leave_out()
    {
        new ChatTurns([ChatMessage.System("Be brief."), ChatMessage.User("Hi")]).Steps(100, Words).Should().BeEmpty();
        new ChatTurns([ChatMessage.Assistant("Hello!")]).Steps(100, Words).Should().BeEmpty();
    }

    [Test]
    public void Last_step_leaves_the_last_turn_only()
    {
        new ChatTurns(Talk(12)).Steps(1_000_000, Words)[^1].Should().Be(11);
        new ChatTurns(Talk(2)).Steps(10, Words).Should().Equal(1);
    }

    [Test]
    public void Steps_are_some_distance_apart_and_stay_when_the_chat_grows()
    {
        const int Room = 800;
        int[] steps = new ChatTurns(Talk(40)).Steps(Room, Words)[..^1];
        int[] later = new ChatTurns(Talk(60)).Steps(Room, Words);

        later.Take(steps.Length).Should().Equal(steps);
        steps.Zip(steps.Skip(1), (one, next) => next - one).Should().OnlyContain(distance => distance > 1);
        steps.Should().HaveCountGreaterThan(3);
    }

    private static ChatMessage[] Talk(int turns) =>
    [
        .. Enumerable.Range(0, turns).SelectMany(i => new[]
        {
            ChatMessage.User($"question {i} is this one"),
            ChatMessage.Assistant(string.Join(' ', Enumerable.Repeat("answer", 30))),
        }),
    ];

    private static int Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
}
