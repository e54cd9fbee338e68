using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

/// <summary>What all characters know is computed once.</summary>
[TestFixture]
public sealed class KnowledgeTests : IDisposable
{
    private const string Knowledge =
        "There is a village by the sea. A baker named Cora lives there, and a guard named Nico. The gate of the village is closed at night. "
        + "Behind the gate there is a forest, and in the forest there is an old well. Nobody has seen the bottom of the well.";

    private GenerationSession _session = null!;
    private World _world = null!;
    private Character _baker = null!;
    private Character _guard = null!;

    [SetUp]
    public void Create()
    {
        _session = Play.Session(sequences: 2);
        _world = new World(new LocalBrain(_session), new WorldOptions { Knowledge = Knowledge });
        _baker = _world.AddCharacter(new CharacterOptions { Name = "Cora", Persona = "You are Cora. You like jokes.", MaxTokens = 8 });
        _guard = _world.AddCharacter(new CharacterOptions { Name = "Nico", Persona = "You are Nico. You say little.", MaxTokens = 8 });
    }

    [TearDown]
    public void Dispose()
    {
        _world.Dispose();
        _session.Dispose();
    }

    [Test]
    public void Second_character_takes_the_knowledge_from_the_cache_of_the_first()
    {
        Ask(_baker);
        _baker.LastStatistics!.CachedPromptTokens.Should().Be(0);

        Ask(_guard);

        TestContext.Out.WriteLine($"{_guard.LastStatistics!.CachedPromptTokens} of {_guard.LastStatistics.PromptTokens} tokens, {Count(Knowledge)} of knowledge");
        _guard.LastStatistics.CachedPromptTokens.Should().BeGreaterThanOrEqualTo(Count(Knowledge));
    }

    [Test]
    public async Task Warm_up_computes_the_knowledge_for_all_and_the_persona_of_a_character_who_is_near()
    {
        await _world.WarmUpAsync();

        Ask(_guard);
        _guard.LastStatistics!.CachedPromptTokens.Should().BeGreaterThanOrEqualTo(Count(Knowledge) + Count(_guard.Persona));
        Ask(_baker);
        _baker.LastStatistics!.CachedPromptTokens.Should().BeGreaterThanOrEqualTo(Count(Knowledge), "the session may have given her sequence to the guard");
        _baker.Forget();
        await _baker.WarmUpAsync();
        Ask(_baker);
        _baker.LastStatistics!.CachedPromptTokens.Should().BeGreaterThanOrEqualTo(Count(Knowledge) + Count(_baker.Persona));
    }

    [Test]
    public void Knowledge_that_changes_is_in_the_next_answer()
    {
        Ask(_baker);

        _world.Knowledge = "It is night.";
        Ask(_baker);

        _baker.LastStatistics!.CachedPromptTokens.Should().BeLessThan(Count(Knowledge));
    }

    private static int Count(string text) => Play.Model.Vocabulary.Tokenize(text, addSpecial: false).Length;

    private void Ask(Character character)
    {
        character.Ask("Who are you?");
        Play.Hear(_world, character);
    }
}
