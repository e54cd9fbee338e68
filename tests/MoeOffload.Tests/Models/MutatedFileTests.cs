using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>
/// Files with changes that a damaged disk would not make, but an attacker would: other numbers, and parts that are missing, repeated or taken
/// from elsewhere. MOE_MUTATIONS sets another number of them, for a longer run.
/// </summary>
[TestFixture, NonParallelizable]
public sealed class MutatedFileTests
{
    private const int Mutations = 1200;
    private const long MemoryBound = 192 << 20;

    // Loading takes much longer than reading, so only some of the files that the checks accept are loaded.
    private const int MutationsPerLoad = 12;

    private static readonly TinyModelOptions s_small = new() { Layers = 1, VocabularySize = 512, ContextLength = 256, ExpertsUsed = 2, Experts = 4 };

    private static readonly ulong[] s_numbers =
    [
        0, 1, 2, 3, 7, 31, 32, 33, 127, 128, 255, 256, 65535, 65536, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, 1UL << 61, 1UL << 62, long.MaxValue, 1UL << 63,
        ulong.MaxValue - 7, ulong.MaxValue,
    ];

    [Test]
    public void Mutated_file_is_read_or_refused_as_documented_and_takes_no_memory()
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("MOE_MUTATIONS") ?? $"{Mutations}", CultureInfo.InvariantCulture);
        (byte[] Head, long Tail)[] seeds = [.. Seeds().Select(Divide)];
        string path = TinyModels.NewPath("mutated");
        var random = new Random(11);
        long before = 0;
        int loaded = 0;
        for (int i = 0; i < count; i++)
        {
            (byte[] head, long rest) = seeds[i % seeds.Length];
            Write(path, Mutate(random, head, seeds[random.Next(seeds.Length)].Head), rest);
            if (IsAccepted(path, i) && loaded <= i / MutationsPerLoad)
            {
                loaded++;
                Load(path, i);
            }

            // What is allocated once is there after the first third.
            before = i == count / 3 ? Resident() : before;
        }

        File.Delete(path);
        TestContext.Out.WriteLine($"{count} files, {loaded} loaded, {Resident() - before} bytes more than after the first third");
        loaded.Should().BeInRange(1, count - 1);
        (Resident() - before).Should().BeLessThan(MemoryBound);
    }

    private static IEnumerable<string> Seeds()
    {
        yield return TinyModels.Qwen3Moe(s_small).Path;
        yield return TinyModels.PhiMoe(s_small).Path;
        yield return TinyModels.GptOss(s_small with { WeightType = GgmlType.MXFP4 }).Path;
        yield return TinyModels.Mamba(new TinyModelOptions { Layers = 1, VocabularySize = 512 }).Path;
    }

    private static (byte[] Head, long Tail) Divide(string path)
    {
        GgufFile file = GgufFile.Open(path);
        using FileStream stream = File.OpenRead(path);
        byte[] head = new byte[file.DataOffset];
        stream.ReadExactly(head);
        return (head, file.Length - file.DataOffset);
    }

    // The weights are zeros, which take no room on the disk.
    private static void Write(string path, byte[] head, long rest)
    {
        using FileStream file = File.Create(path);
        file.Write(head);
        file.SetLength(head.Length + rest);
    }

    private static byte[] Mutate(Random random, byte[] seed, byte[] other)
    {
        int head = seed.Length - 512;
        var file = new List<byte>(seed);
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            int place = Place(random, head);
            int length = random.Next(1, 64);
            switch (random.Next(7))
            {
                case 0:
                    file[place] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    file[place] = (byte)random.Next(256);
                    break;
                case 2:
                    SetNumber(file, place, s_numbers[random.Next(s_numbers.Length)], random.Next(2) == 0 ? sizeof(uint) : sizeof(ulong));
                    break;
                case 3:
                    file.RemoveRange(place, Math.Min(length, file.Count - place));
                    break;
                case 4:
                    file.InsertRange(place, file.GetRange(Place(random, head - length), length));
                    break;
                case 5:
                    file.InsertRange(place, other.AsSpan(Place(random, other.Length - length), length).ToArray());
                    break;
                default:
                    SetNumber(file, place, (ulong)random.NextInt64(), sizeof(ulong));
                    break;
            }
        }

        return [.. file];
    }

    // Half of the changes are near the beginning, where the hyperparameters are, or in the descriptions of tensors.
    private static int Place(Random random, int head) => random.NextDouble() switch
    {
        < 0.4 => random.Next(Math.Min(1500, head)),
        < 0.7 => random.Next(Math.Max(0, head - 1500), head),
        _ => random.Next(head),
    };

    private static void SetNumber(List<byte> file, int place, ulong value, int length)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        for (int i = 0; i < length && place + i < file.Count; i++)
        {
            file[place + i] = bytes[i];
        }
    }

    private static bool IsAccepted(string path, int number)
    {
        try
        {
            GgufModelFiles files = GgufModelFiles.Open(path);
            foreach ((_, GgufValue value) in files.Metadata)
            {
                _ = value.ToString();
            }

            GgufModelCheck.Validate(files);
            return true;
        }
        catch (Exception error) when (error is not AssertionException)
        {
            (error is GgufFormatException or FileNotFoundException).Should().BeTrue($"mutation {number} threw {error}");
            return false;
        }
    }

    private static void Load(string path, int number)
    {
        try
        {
            using MoeModel model = MoeModel.Load(path);
            using GenerationSession session = model.CreateSession(SmallModel.Context(64));
            using TokenStream stream = session.GenerateAsync("Hello", SamplingOptions.Greedy, 2);
            stream.ToBlockingEnumerable().Count().Should().BeLessThanOrEqualTo(2);
        }
        catch (Exception error) when (error is not AssertionException)
        {
            (error is GgufFormatException or ModelLoadException or InferenceException or NotSupportedException or FileNotFoundException)
                .Should().BeTrue($"mutation {number} threw {error}");
        }
    }

    private static long Resident()
    {
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
