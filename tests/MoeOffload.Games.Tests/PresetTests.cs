using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

[TestFixture]
public sealed class PresetTests
{
    [Test]
    public void Each_preset_answers()
    {
        using GenerationSession session = Play.Session();
        using var world = new World(new LocalBrain(session));
        foreach (SamplingOptions preset in (SamplingOptions[])[SamplerPresets.Conversational, SamplerPresets.Terse, SamplerPresets.Storyteller])
        {
            Character character = world.AddCharacter(new CharacterOptions { Name = $"At temperature {preset.Temperature}", Sampling = preset, MaxTokens = 10 });

            character.Ask("Tell me a story.");

            Play.Hear(world, character).Should().NotBeEmpty();
        }
    }

    [Test]
    public void Characters_talk_as_persons_do_by_default() => new CharacterOptions { Name = "Cora" }.Sampling.Should().BeSameAs(SamplerPresets.Conversational);
}
