using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Gguf;
using MoeOffload.Inference;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload.Tests.Experts;

/// <summary>Computes with experts in memory and in files in the same way, to compare the results bit for bit.</summary>
internal static class ExpertRuns
{
    private const int Sequences = 4;

    /// <summary>All experts in ordinary memory, as they are in the file.</summary>
    public static ModelOptions InMemory { get; } = new() { Repack = false, Devices = [] };

    /// <summary>Experts in the file, with a limit that is a part of their size, or the least that is allowed.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="percent">The part in percent.</param>
    public static ModelOptions InFile(string path, int percent)
    {
        GgufModelFiles files = GgufModelFiles.Open(path);
        GgufTensorInfo[] experts = [.. files.Tensors.Where(RoutedExperts.IsRouted)];

        // Each tensor takes whole pages, of which it can fill two only in part.
        long all = experts.Sum(tensor => tensor.ByteCount + (2 * Environment.SystemPageSize));
        files.Metadata.TryGetString(GgufKeys.Architecture, out string architecture);
        files.Metadata.TryGetInt64($"{architecture}.expert_used_count", out long used).Should().BeTrue();
        return InMemory with { Experts = ExpertStorage.Limit(Math.Max(all * percent / 100, RoutedExperts.LeastBytes(experts, used))) };
    }

    /// <summary>
    /// The logits of prompts with several micro-batches, of batches with a token of each of several sequences, and of single tokens.
    /// </summary>
    public static List<float[]> Compute(MoeModel model)
    {
        ContextOptions options = SmallModel.Context(256, Sequences) with { MicroBatchSize = 32, LogitsPerStep = 64 };
        using NativeContext context = NativeContext.Create(
            model.Native.Handle, new ContextParameters(options, expertsOffloaded: false).ToSettings(), NullLogger.Instance);
        List<float[]> logits = [];
        Step([.. Enumerable.Range(0, 50).Select(i => (Token(i), i, 0))]);
        Step([.. Enumerable.Range(0, 20).Select(i => (Token(i + 7), i, 1)), .. Enumerable.Range(0, 9).Select(i => (Token(i + 3), i, 2))]);
        Step([(Token(5), 0, 3)]);
        for (int i = 0; i < 6; i++)
        {
            Step([(Token(i + 50), 50 + i, 0), (Token(i + 60), 20 + i, 1), (Token(i + 70), 9 + i, 2), (Token(i + 80), 1 + i, 3)]);
        }

        for (int i = 0; i < 6; i++)
        {
            Step([(Token(i + 90), 56 + i, 0)]);
        }

        return logits;

        int Token(int i) => 100 + ((i * 37) % 400);

        void Step((int Token, int Position, int Sequence)[] batch)
        {
            context.ClearBatch();
            foreach ((int token, int position, int sequence) in batch)
            {
                context.Add(token, position, sequence, wantsLogits: true);
            }

            context.Decode().Should().Be(DecodeResult.Done);
            for (int i = 0; i < batch.Length; i++)
            {
                float[] row = new float[context.VocabularySize];
                context.CopyLogits(i, row);
                logits.Add(row);
            }
        }
    }

    /// <summary>Fails unless all bits are equal.</summary>
    public static void ShouldEqual(List<float[]> actual, List<float[]> expected, string because = "")
    {
        actual.Should().HaveCount(expected.Count);
        for (int i = 0; i < actual.Count; i++)
        {
            actual[i].AsSpan().SequenceEqual(expected[i]).Should().BeTrue($"row {i} {because}");
        }
    }
}
