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

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

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
        await using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096, sequences: 3));
        using TokenStream running = session.GenerateAsync("To be", new SamplingOptions { IgnoreEndOfSequence = true }, 900);
        await running.StartAsync();

        // The reader of logits is called in a step, which lasts until it returns.
        var begun = new TaskCompletionSource();
        using var end = new ManualResetEventSlim();
        Task step = session.ReadLogitsAsync([1, 2, 3], (_, _) =>
        {
            begun.TrySetResult();
            end.Wait();
        });
        await begun.Task.WaitAsync(s_patience);
        try
        {
            await Task.Run(() =>
            {
                while (running.TryRead(out _))
                {
                    // What was generated before the step is there.
                }

                TokenStream other = session.GenerateAsync("To be", SamplingOptions.Greedy, 4);
                other.TryRead(out _).Should().BeFalse("the step still runs");
                other.Dispose();
                running.Dispose();
            }).WaitAsync(s_patience);
            step.IsCompleted.Should().BeFalse();
        }
        finally
        {
            end.Set();
        }

        await step.WaitAsync(s_patience);
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
