using System.Buffers.Binary;
using System.Security.Cryptography;
using FluentAssertions;
using MoeOffload.Inference;
using MoeOffload.Inference.Running;
using MoeOffload.Inference.State;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Reads states with changes whose checksum is right, so that every check of the reader is reached. llama.cpp does not get them.</summary>
[TestFixture]
public sealed class StateMutationTests
{
    private const int Mutations = 2000;

    private static readonly int[] s_numbers = [0, 1, -1, 2, 255, 256, 65535, 65536, 65537, int.MaxValue, int.MinValue];

    [Test]
    public async Task Mutated_state_is_read_or_refused_as_documented_and_takes_no_memory()
    {
        byte[] state = await MakeAsync();
        StateIdentity identity = StateIdentity.Of(SmallModel.Shared, ContextPreparation.ForGeneration(SmallModel.Shared, SmallModel.Context()));
        var limits = new StateLimits(256, SmallModel.Shared.Vocabulary.Size, 1 << 20);
        var random = new Random(3);
        int read = 0;
        for (int i = 0; i < Mutations; i++)
        {
            byte[] mutated = Mutate(random, state);
            try
            {
                List<SavedSequence> sequences = await StateReader.ReadAsync(new MemoryStream(mutated), identity, limits, CancellationToken.None);
                sequences.Should().OnlyContain(sequence => sequence.Tokens.Length <= 256);
                sequences.ForEach(sequence => sequence.Dispose());
                read++;
            }
            catch (StateFormatException)
            {
                // This is the documented exception.
            }
        }

        read.Should().BeInRange(1, Mutations - 1);
    }

    private static async Task<byte[]> MakeAsync()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        await GreedyText.Of(session, [.. Enumerable.Range(100, 20)], 2);
        using var state = new MemoryStream();
        await session.SaveStateAsync(state);
        return state.ToArray();
    }

    private static byte[] Mutate(Random random, byte[] state)
    {
        byte[] content = state[..^SHA256.HashSizeInBytes];
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            // The head, with all lengths, is short; what follows it are the numbers of a KV cache.
            int place = random.Next(Math.Min(random.Next(2) == 0 ? 64 : 800, content.Length - sizeof(int)));
            switch (random.Next(4))
            {
                case 0:
                    content[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(place), s_numbers[random.Next(s_numbers.Length)]);
                    break;
                case 2:
                    content = [.. content[..place], .. content[Math.Min(content.Length, place + random.Next(1, 16))..]];
                    break;
                default:
                    content = [.. content[..place], .. content.AsSpan(0, random.Next(1, 16)), .. content[place..]];
                    break;
            }
        }

        return random.Next(8) == 0 ? content : [.. content, .. SHA256.HashData(content)];
    }
}
