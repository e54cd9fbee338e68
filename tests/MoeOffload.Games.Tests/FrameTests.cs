using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Games.Tests;

/// <summary>What the frames of a game cost its thread.</summary>
[TestFixture, NonParallelizable]
public sealed class FrameTests
{
    private const int Frames = 200;

    [Test]
    public void Frames_in_which_characters_speak_allocate_nothing()
    {
        using GenerationSession session = Play.Session(sequences: 3);
        using var world = new World(new LocalBrain(session));
        Character[] characters =
        [
            .. Enumerable.Range(0, 3).Select(i => world.AddCharacter(new CharacterOptions
            {
                Name = $"Character {i}",
                MaxTokens = 350,
                Sampling = new SamplingOptions { Seed = (uint)i, IgnoreEndOfSequence = true },
            })),
        ];
        char[] bubble = new char[1 << 16];
        long allocated = 0;
        int length = 0;
        int frames = 0;
        for (int talk = 0; talk < 2; talk++)
        {
            foreach (Character character in characters)
            {
                character.Ask("Tell me a story.");
            }

            // The first time, methods are compiled.
            while (Array.Exists(characters, character => character.IsAnswering))
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                int read = Frame(world, characters, bubble);
                long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
                if (talk > 0)
                {
                    allocated += bytes;
                    length += read;
                    frames++;
                }

                Thread.Sleep(2);
            }
        }

        TestContext.Out.WriteLine($"{frames} frames read {length} characters and allocated {allocated} bytes.");
        length.Should().BeGreaterThan(Frames, "else little was measured");
        allocated.Should().Be(0);
    }

    [Test]
    public void Frames_in_which_nothing_happens_allocate_nothing()
    {
        using GenerationSession session = Play.Session();
        var brain = new ObservedBrain(session);
        using var world = new World(brain);
        Character character = world.AddCharacter(new CharacterOptions { Name = "Cora" });
        brain.Close();
        character.Ask("Who are you?");
        char[] bubble = new char[64];
        Frame(world, [character], bubble);

        Character[] characters = [character];
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int frame = 0; frame < Frames; frame++)
        {
            Frame(world, characters, bubble);
            character.Priority = -frame;
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        character.IsAnswering.Should().BeTrue();
    }

    private static int Frame(World world, Character[] characters, char[] bubble)
    {
        world.Update(TimeSpan.FromMilliseconds(2));
        int length = 0;
        foreach (Character character in characters)
        {
            while (character.State != CharacterState.Waiting && character.TryRead(out string? words))
            {
                words.AsSpan().CopyTo(bubble.AsSpan(length));
                length += words.Length;
            }
        }

        return length;
    }
}
