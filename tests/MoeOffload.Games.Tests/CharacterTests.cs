using FluentAssertions;
using MoeOffload.Chat;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

[TestFixture]
public sealed class CharacterTests : IDisposable
{
    private static readonly SamplingOptions s_endless = SamplingOptions.Greedy with { IgnoreEndOfSequence = true };

    private GenerationSession _session = null!;
    private ObservedBrain _brain = null!;
    private World _world = null!;

    [SetUp]
    public void Create()
    {
        _session = Play.Session();
        _brain = new ObservedBrain(_session);
        _world = new World(_brain, new WorldOptions { Knowledge = "There is a village." });
    }

    [TearDown]
    public void Dispose()
    {
        _world.Dispose();
        _session.Dispose();
    }

    [Test]
    public void Answer_is_read_frame_by_frame_and_remembered()
    {
        Character baker = Add("Cora", SamplingOptions.Greedy);
        baker.State.Should().Be(CharacterState.Idle);
        baker.IsAnswering.Should().BeFalse();

        baker.Ask("Tell me a story.");
        baker.IsAnswering.Should().BeTrue();
        string said = Play.Hear(_world, baker);

        said.Should().NotBeEmpty();
        baker.State.Should().Be(CharacterState.Idle);
        baker.LastStatistics!.GeneratedTokens.Should().BePositive();
        ConversationTurn turn = baker.History.Should().ContainSingle().Subject;
        turn.Messages.Select(message => (message.Role, message.Content)).Should().Equal((ChatRole.User, "Tell me a story."), (ChatRole.Assistant, said));
        _brain.Prompts.Should().ContainSingle().Which[0].Content.Should().Be("There is a village.\n\nYou are Cora.");
    }

    [Test]
    public void Next_answer_knows_the_turns_before_it()
    {
        Character baker = Add("Cora", SamplingOptions.Greedy);
        foreach (string words in (string[])["What do bees make?", "What is two plus three?"])
        {
            baker.Ask(words);
            Play.Hear(_world, baker);
        }

        _brain.Prompts.Last().Select(message => message.Role).Should().Equal(ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.User);
        baker.Forget();
        baker.History.Should().BeEmpty();
    }

    [Test]
    public void Interrupted_character_remembers_the_words_that_were_read_and_that_it_was_interrupted()
    {
        Character baker = Add("Cora", s_endless);
        baker.Ask("Tell me a story.");
        string? heard = null;
        Play.Until(_world, () => baker.TryRead(out heard));

        baker.Interrupt();

        baker.IsAnswering.Should().BeFalse();
        baker.TryRead(out _).Should().BeFalse("what was not heard is dropped");
        ConversationTurn turn = baker.History.Should().ContainSingle().Subject;
        turn.IsInterrupted.Should().BeTrue();
        turn.Messages[^1].Content.Should().Be(heard);

        baker.Ask("Go on.");
        Play.Until(_world, () => _brain.Prompts.Count == 2);
        _brain.Prompts.Last()[2].Content.Should().Be(heard + "...");
    }

    [Test]
    public void Question_in_an_answer_interrupts_it()
    {
        Character baker = Add("Cora", s_endless);
        baker.Ask("Tell me a story.");
        Play.Until(_world, () => baker.TryRead(out _));

        baker.Ask("What do bees make?");
        Play.Hear(_world, baker);

        baker.History.Select(turn => turn.Messages[0].Content).Should().Equal("Tell me a story.", "What do bees make?");
        baker.History[0].IsInterrupted.Should().BeTrue();
    }

    [Test]
    public void Priority_takes_effect_while_characters_wait()
    {
        Character[] characters = [Add("Cora", SamplingOptions.Greedy), Add("Nico", SamplingOptions.Greedy), Add("Zoe", SamplingOptions.Greedy)];
        _brain.Close();
        characters[0].Ask("Who are you?");
        Play.Until(_world, () => _brain.Prompts.Count == 1);
        characters[1].Ask("Are you Nico?");
        Play.Until(_world, () => characters[1].State == CharacterState.Waiting);
        characters[2].Ask("Are you Zoe?");

        // The player walks up to the one who came last.
        characters[2].Priority = 10;
        Thread.Sleep(200);
        _brain.Open();
        Play.Until(_world, () => Array.TrueForAll(characters, character => character.State == CharacterState.Idle));

        _brain.Prompts.Select(prompt => prompt[^1].Content).Should().Equal("Who are you?", "Are you Zoe?", "Are you Nico?");
    }

    [Test]
    public void Deadline_ends_an_answer_that_waits()
    {
        Character first = Add("Cora", SamplingOptions.Greedy);
        Character second = _world.AddCharacter(new CharacterOptions { Name = "Nico", Deadline = TimeSpan.FromMilliseconds(50) });
        _brain.Close();
        first.Ask("Who are you?");
        Play.Until(_world, () => _brain.Prompts.Count == 1);

        second.Ask("Who are you?");
        Play.Hear(_world, second).Should().BeEmpty();

        second.History.Should().ContainSingle().Which.IsInterrupted.Should().BeTrue();
        _brain.Open();
        Play.Hear(_world, first).Should().NotBeEmpty("the place is free again");
    }

    [Test]
    public void Deadline_and_limit_end_an_answer_with_what_was_said()
    {
        Character hurried = _world.AddCharacter(new CharacterOptions { Name = "Cora", Sampling = s_endless, MaxTokens = 400, Deadline = TimeSpan.FromMilliseconds(1) });
        Character brief = _world.AddCharacter(new CharacterOptions { Name = "Nico", Sampling = s_endless, MaxTokens = 5 });
        hurried.Ask("Tell me a story.");
        Play.Hear(_world, hurried);
        brief.Ask("Tell me a story.");
        string said = Play.Hear(_world, brief);

        hurried.History.Should().ContainSingle().Which.IsInterrupted.Should().BeTrue();
        said.Should().NotBeEmpty();
        brief.History.Should().ContainSingle().Which.Should().BeEquivalentTo(new { IsInterrupted = true });
        brief.History[0].Messages[^1].Content.Should().Be(said);
    }

    [Test]
    public void Failure_is_thrown_by_a_frame_once_and_the_character_can_be_asked_again()
    {
        Character baker = _world.AddCharacter(new CharacterOptions { Name = "Cora", Persona = string.Concat(Enumerable.Repeat("You bake bread. ", 400)) });
        baker.Ask("Who are you?");

        FluentActions.Invoking(() => Play.Hear(_world, baker)).Should().Throw<ContextFullException>();

        _world.Update().Should().Be(0);
        baker.IsAnswering.Should().BeFalse();
        baker.Persona = "You are Cora.";
        baker.Ask("Who are you?");
        Play.Hear(_world, baker).Should().NotBeEmpty();
    }

    [Test]
    public void Character_that_was_removed_or_whose_world_has_ended_cannot_be_asked()
    {
        Character baker = Add("Cora", s_endless);
        Character guard = Add("Nico", s_endless);
        baker.Ask("Tell me a story.");

        _world.Remove(baker).Should().BeTrue();
        _world.Remove(baker).Should().BeFalse();

        baker.IsAnswering.Should().BeFalse();
        _world.Characters.Should().Equal(guard);
        FluentActions.Invoking(() => baker.Ask("Hi")).Should().Throw<ObjectDisposedException>();
        _world.Dispose();
        FluentActions.Invoking(() => guard.Ask("Hi")).Should().Throw<ObjectDisposedException>();
    }

    [Test]
    public void Options_that_are_not_valid_are_refused()
    {
        Add("Cora", SamplingOptions.Greedy);
        foreach (CharacterOptions options in (CharacterOptions[])
        [
            new() { Name = "Cora" },
            new() { Name = " " },
            new() { Name = "Nico", MaxTokens = 0 },
            new() { Name = "Nico", MaxActions = 0 },
            new() { Name = "Nico", HistoryTokens = -1 },
            new() { Name = "Nico", Deadline = TimeSpan.Zero },
            new() { Name = "Nico", Sampling = new SamplingOptions { Temperature = -1 } },
        ])
        {
            FluentActions.Invoking(() => _world.AddCharacter(options)).Should().Throw<ArgumentException>("of {0}", options);
        }
    }

    private Character Add(string name, SamplingOptions sampling) =>
        _world.AddCharacter(new CharacterOptions { Name = name, Persona = $"You are {name}.", Sampling = sampling, MaxTokens = 60 });
}
