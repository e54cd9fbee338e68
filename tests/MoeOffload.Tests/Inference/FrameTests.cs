using System.Diagnostics;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A loop that must not wait can read streams once a frame.</summary>
[TestFixture, NonParallelizable]
public sealed class FrameTests
{
    private const int Characters = 4;
    private const int Frames = 300;

    [Test]
    public void Frames_allocate_nothing_and_take_microseconds()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(Characters * 1024, Characters));
        TokenStream[] streams =
        [
            .. Enumerable.Range(0, Characters).Select(i =>
                session.GenerateAsync($"Character {i} says: ", new SamplingOptions { Seed = (uint)i, IgnoreEndOfSequence = true }, 900)),
        ];
        byte[] bubble = new byte[1 << 16];
        List<double> microseconds = [];
        long allocated = 0;
        int tokens = 0;

        // As many frames as it takes, on a machine that does other work, to have something to read in them.
        for (int frame = -30; frame < Frames || (tokens <= Frames && frame < 20 * Frames); frame++)
        {
            Thread.Sleep(4);
            long bytesBefore = GC.GetAllocatedBytesForCurrentThread();
            long start = Stopwatch.GetTimestamp();
            tokens += Read(streams, bubble);
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            long bytes = GC.GetAllocatedBytesForCurrentThread() - bytesBefore;
            if (frame >= 0)
            {
                microseconds.Add(taken.TotalMicroseconds);
                allocated += bytes;
            }
        }

        microseconds.Sort();
        int count = microseconds.Count;
        TestContext.Out.WriteLine(
            $"median {microseconds[count / 2]:0.0} µs, 99 % {microseconds[count * 99 / 100]:0.0} µs, most {microseconds[^1]:0.0} µs, {tokens} tokens");
        tokens.Should().BeGreaterThan(Frames, "else little was measured");
        allocated.Should().Be(0);
        microseconds[count / 2].Should().BeLessThan(1000);
        microseconds[count * 9 / 10].Should().BeLessThan(5000, "of ten frames, other work on the machine may take one");
        foreach (TokenStream stream in streams)
        {
            stream.Dispose();
        }
    }

    [Test]
    public async Task Streams_begin_are_read_and_end_without_waiting_for_the_step_that_runs()
    {
        await using GenerationSession session = SmallModel.Shared.CreateSession(
            SmallModel.Context(4096, sequences: 2) with
            {
                BatchSize = 2048,
                MicroBatchSize = 2048,
                PrefixCache = new PrefixCacheOptions { Enabled = false },
            });
        var prompt = new GenerationRequest { PromptTokens = new int[1500], Sampling = SamplingOptions.Greedy, MaxTokens = 1 };
        long start = Stopwatch.GetTimestamp();
        await SmallModel.Read(session.GenerateAsync(prompt));
        TimeSpan step = Stopwatch.GetElapsedTime(start);

        TimeSpan least = TimeSpan.MaxValue;
        for (int attempt = 0; attempt < 5 && least > step / 4; attempt++)
        {
            TokenStream running = session.GenerateAsync(prompt);
            running.TryRead(out _);
            await Task.Delay(step / 8);
            TokenStream other = session.GenerateAsync("To be", SamplingOptions.Greedy, 4);
            start = Stopwatch.GetTimestamp();
            bool isFirstThere = other.TryRead(out _);
            running.TryRead(out _);
            other.Dispose();
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            isFirstThere.Should().BeFalse("the step still runs");
            least = taken < least ? taken : least;
            await SmallModel.Read(running);
        }

        TestContext.Out.WriteLine($"{least.TotalMicroseconds:0.0} µs, and the step takes {step.TotalMilliseconds:0} ms");
        least.Should().BeLessThan(step / 4);
    }

    private static int Read(TokenStream[] streams, byte[] bubble)
    {
        int tokens = 0;
        int length = 0;
        foreach (TokenStream stream in streams)
        {
            for (int i = 0; i < 3 && stream.TryRead(out GeneratedToken token); i++)
            {
                token.Utf8.Span.CopyTo(bubble.AsSpan(length));
                length += token.Utf8.Length;
                tokens++;
            }
        }

        return tokens;
    }
}
