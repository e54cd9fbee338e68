using FluentAssertions;
using MoeOffload.Chat;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

/// <summary>Characters forget whole turns.</summary>
[TestFixture]
public sealed class HistoryTests
{
    [Test]
    public void History_stays_within_its_budget()
    {
        var brain = new ScriptedBrain();
        using var world = new World(brain);
        Character baker = world.AddCharacter(new CharacterOptions { Name = "Cora", Persona = "You are Cora.", HistoryTokens = 200 });
        for (int i = 0; i < 12; i++)
        {
            baker.Ask($"This is what I tell you in turn {i}.");
            Play.Hear(world, baker);
        }

        // The brain counts a token for each character; a turn has about 60.
        int[] lengths = [.. brain.Prompts.Select(prompt => prompt.Messages.Skip(1).Sum(message => message.Content.Length))];
        lengths.Should().OnlyContain(length => length <= 200).And.Contain(length => length > 100);
        foreach ((IReadOnlyList<ChatMessage> messages, _) in brain.Prompts)
        {
            messages.Select(message => message.Role).Should().Equal(
                [ChatRole.System, .. Enumerable.Repeat((ChatRole[])[ChatRole.User, ChatRole.Assistant], (messages.Count - 2) / 2).SelectMany(pair => pair), ChatRole.User]);
        }

        baker.History[^1].Messages[0].Content.Should().EndWith("11.");
        baker.History.Count.Should().BeLessThan(5);
    }

    [Test]
    public void Forgetting_leaves_room_so_that_the_next_prompts_begin_alike()
    {
        var brain = new ScriptedBrain();
        using var world = new World(brain);
        Character baker = world.AddCharacter(new CharacterOptions { Name = "Cora", Persona = "You are Cora.", HistoryTokens = 400 });
        for (int i = 0; i < 12; i++)
        {
            baker.Ask($"This is turn {i}.");
            Play.Hear(world, baker);
        }

        string[] firsts = [.. brain.Prompts.Select(prompt => prompt.Messages[1].Content)];
        firsts.Distinct().Count().Should().BeInRange(2, 5, "the oldest turn in the prompt changes now and then: {0}", string.Join(" ", firsts));
    }

    [Test]
    public void Turn_with_an_action_is_forgotten_as_a_whole()
    {
        var brain = new ScriptedBrain([.. Enumerable.Range(0, 8).SelectMany(_ => (ChatMessage[])[ScriptedBrain.Call("wave", "{}"), ChatMessage.Assistant("I waved.")])]);
        using var world = new World(brain);
        Character baker = world.AddCharacter(new CharacterOptions { Name = "Cora", Persona = "You are Cora.", HistoryTokens = 180 });
        baker.Actions.Add("wave", "Waves.", () => { });
        for (int i = 0; i < 8; i++)
        {
            baker.Ask($"Wave {i}.");
            Play.Hear(world, baker);
        }

        baker.History.Count.Should().BeInRange(1, 4);
        foreach (ConversationTurn turn in baker.History)
        {
            turn.Messages.Select(message => message.Role).Should().Equal(ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant);
        }

        foreach ((IReadOnlyList<ChatMessage> messages, _) in brain.Prompts)
        {
            messages[1].Role.Should().Be(ChatRole.User);
            messages.Count(message => message.Role == ChatRole.Tool).Should().Be(messages.Sum(message => message.ToolCalls.Count));
        }
    }

    [Test]
    public void Context_of_the_model_limits_what_is_remembered()
    {
        using GenerationSession session = Play.Session();
        var brain = new ObservedBrain(session);
        using var world = new World(brain);
        Character baker = world.AddCharacter(new CharacterOptions { Name = "Cora", MaxTokens = 60, Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true } });
        for (int i = 0; i < 9; i++)
        {
            baker.Ask("Tell me a story.");
            Play.Hear(world, baker);
            baker.LastStatistics!.GeneratedTokens.Should().Be(60, "there is room for the answer");
        }

        brain.Prompts.Last().Count(message => message.Role == ChatRole.User).Should().BeInRange(2, 7);
    }
}
