using System.Text;
using FluentAssertions;
using MoeOffload.Chat;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

[TestFixture]
public sealed class SaveTests
{
    [Test]
    public async Task Saved_world_is_restored_with_actions_interruptions_and_characters_that_come_later()
    {
        using World world = Village();
        Talk(world, world.Characters[0], "Grüße, 世界!");
        world.Characters[0].Ask("Noch etwas?");
        world.Characters[0].Interrupt();
        Talk(world, world.Characters[1], "Und du?");
        using var file = new MemoryStream();

        await world.Save().WriteAsync(file);
        file.Position = 0;
        WorldSave save = await WorldSave.ReadAsync(file);

        save.Characters.Should().Equal("Cora", "Zoë");
        using var other = new World(new ScriptedBrain());
        Character stranger = other.AddCharacter(new CharacterOptions { Name = "Nico" });
        Talk(other, stranger, "Hi");
        other.Restore(save);
        stranger.History.Should().BeEmpty();
        foreach (Character before in world.Characters)
        {
            Character after = other.AddCharacter(new CharacterOptions { Name = before.Name });
            after.History.Should().NotBeEmpty().And.BeEquivalentTo(before.History);
            Talk(other, after, "Weißt du noch?");
        }

        other.Characters[1].History[0].Messages.Select(message => message.Role).Should().Equal(ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant);
        WorldSave.Parse(save.ToJson()).ToJson().Should().Be(save.ToJson());
    }

    [Test]
    public void Answer_on_its_way_is_saved_as_if_it_were_interrupted_and_continues()
    {
        using GenerationSession session = Play.Session();
        using var world = new World(new LocalBrain(session));
        Character baker = world.AddCharacter(new CharacterOptions { Name = "Cora", MaxTokens = 200, Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true } });
        baker.Ask("Tell me a story.");
        string? heard = null;
        Play.Until(world, () => baker.TryRead(out heard));

        WorldSave save = world.Save();
        string rest = Play.Hear(world, baker);

        rest.Should().NotBeEmpty();
        baker.History.Should().ContainSingle();
        world.Restore(save);
        ConversationTurn turn = baker.History.Should().ContainSingle().Subject;
        turn.IsInterrupted.Should().BeTrue();
        turn.Messages[^1].Content.Should().Be(heard);
    }

    [Test]
    public void Restoring_interrupts_answers()
    {
        using World world = Village();
        WorldSave save = world.Save();
        world.Characters[0].Ask("Hi");

        world.Restore(save);

        world.Characters[0].IsAnswering.Should().BeFalse();
        world.Characters[0].History.Should().BeEmpty();
    }

    [Test]
    public async Task Save_that_is_cut_off_is_refused()
    {
        using World world = Village();
        Talk(world, world.Characters[0], "Hi");
        byte[] json = Encoding.UTF8.GetBytes(world.Save().ToJson());

        for (int length = 0; length < json.Length; length += 7)
        {
            using var file = new MemoryStream(json, 0, length);
            await FluentActions.Awaiting(() => WorldSave.ReadAsync(file)).Should().ThrowAsync<StateFormatException>("of {0} bytes", length);
        }
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("""{"hero":"level 3"}""")]
    [TestCase("""{"format":7,"version":1,"characters":[]}""")]
    [TestCase("""{"format":"moeoffload-characters","characters":[]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":"1","characters":[]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":{}}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[null]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":null,"turns":[]}]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":"A","turns":[]},{"name":"A","turns":[]}]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":"A","turns":[{"messages":[]}]}]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":"A","turns":[{"messages":[{"role":"player","content":"x"}]}]}]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":"A","turns":[{"messages":[{"role":"system","content":"x"},{"role":"character","content":"x"}]}]}]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":"A","turns":[{"interrupted":1,"messages":[{"role":"player","content":"x"},{"role":"character","content":"x"}]}]}]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":"A","turns":[{"messages":[{"role":"player","content":"x"},{"role":"result","content":"x"},{"role":"character","content":"x"}]}]}]}""")]
    [TestCase("""{"format":"moeoffload-characters","version":1,"characters":[{"name":"A","turns":[{"messages":[{"role":"player","content":"\ud800"},{"role":"character","content":"x"}]}]}]}""")]
    public void Foreign_or_damaged_save_is_refused(string json) =>
        FluentActions.Invoking(() => WorldSave.Parse(json)).Should().Throw<StateFormatException>();

    [Test]
    public void Save_of_a_newer_version_says_so() =>
        FluentActions.Invoking(() => WorldSave.Parse("""{"format":"moeoffload-characters","version":2,"cast":[]}"""))
            .Should().Throw<StateFormatException>().WithMessage("*version 2*Update the game.");

    [Test]
    public async Task State_of_the_session_spares_the_restored_character_its_prompt()
    {
        using var state = new MemoryStream();
        WorldSave save;
        using (GenerationSession session = Play.Session())
        {
            using var world = new World(new LocalBrain(session), new WorldOptions { Knowledge = "There is a village by the sea." });
            Talk(world, Baker(world), "What do bees make?");
            save = world.Save();
            await session.SaveStateAsync(state);
        }

        state.Position = 0;
        using GenerationSession later = Play.Session();
        using var same = new World(new LocalBrain(later), new WorldOptions { Knowledge = "There is a village by the sea." });
        Character baker = Baker(same);
        same.Restore(save);
        await later.LoadStateAsync(state);

        Talk(same, baker, "And what do cows eat?");

        baker.LastStatistics!.CachedPromptTokens.Should().BeGreaterThan(baker.LastStatistics.PromptTokens / 2);
    }

    private static World Village()
    {
        var world = new World(new ScriptedBrain(ScriptedBrain.Call("wave", """{"hand":"left"}"""), ChatMessage.Assistant("„Schön!“")));
        world.AddCharacter(new CharacterOptions { Name = "Cora" }).Actions.Add("wave", "Waves.", (string hand) => $"You wave with the {hand} hand.", "hand");
        world.AddCharacter(new CharacterOptions { Name = "Zoë" });
        return world;
    }

    private static Character Baker(World world) =>
        world.AddCharacter(new CharacterOptions { Name = "Cora", Persona = "You are Cora.", MaxTokens = 20, Sampling = SamplingOptions.Greedy });

    private static void Talk(World world, Character character, string words)
    {
        character.Ask(words);
        Play.Hear(world, character);
    }
}
