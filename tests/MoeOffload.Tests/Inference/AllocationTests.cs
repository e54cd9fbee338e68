using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>In steady state a token costs no managed memory, as long as its text is not asked for.</summary>
[TestFixture, NonParallelizable]
public sealed class AllocationTests
{
    private const int Tokens = 400;

    // The runtime itself allocates now and then on other threads: the thread pool's own bookkeeping, timers, the test's runner.
    // One object for each token would be at least 24 bytes times 400.
    private const long Tolerance = 4096;

    private GenerationSession _session = null!;

    [OneTimeSetUp]
    public void MakeSession() => _session = SmallModel.Shared.CreateSession(SmallModel.Context(2048));

    [OneTimeTearDown]
    public void DisposeSession() => _session.Dispose();

    [TestCase(false)]
    [TestCase(true)]
    public async Task Iterator_in_steady_state_allocates_nothing_for_a_token(bool isSampled)
    {
        SamplingOptions sampling = isSampled ? new SamplingOptions { Seed = 1 } : SamplingOptions.Greedy;
        await Least(async () =>
        {
            long before = 0;
            int read = 0;
            int bytes = 0;
            await foreach (GeneratedToken token in _session.GenerateAsync("To be", sampling, Tokens + 200).ConfigureAwait(false))
            {
                bytes += token.Utf8.Length;
                read++;
                before = read == 100 ? GC.GetTotalAllocatedBytes(precise: true) : before;
                if (read == 100 + Tokens)
                {
                    return GC.GetTotalAllocatedBytes(precise: true) - before;
                }
            }

            return bytes > 0 && read <= 100 + Tokens ? 0 : long.MaxValue;
        });
    }

    [Test]
    public async Task TryRead_in_steady_state_allocates_nothing_for_a_token() => await Least(() =>
    {
        using TokenStream stream = _session.GenerateAsync("To be", SamplingOptions.Greedy, Tokens + 200);
        long before = 0;
        int read = 0;
        while (read < 100 + Tokens)
        {
            read += stream.TryRead(out GeneratedToken token) ? 1 : 0;
            before = read == 100 && before == 0 ? GC.GetTotalAllocatedBytes(precise: true) : before;
        }

        return Task.FromResult(GC.GetTotalAllocatedBytes(precise: true) - before);
    });

    [Test]
    public async Task Generation_with_a_stop_string_in_steady_state_allocates_nothing_for_a_token() => await Least(async () =>
    {
        var request = new GenerationRequest
        {
            Prompt = "To be",
            Sampling = SamplingOptions.Greedy,
            MaxTokens = Tokens + 200,
            StopStrings = ["a text that never comes, and begins with a letter that does"],
        };
        long before = 0;
        int read = 0;
        await foreach (GeneratedToken token in _session.GenerateAsync(request).ConfigureAwait(false))
        {
            read++;
            before = read == 100 ? GC.GetTotalAllocatedBytes(precise: true) : before;
            if (read == 100 + Tokens)
            {
                return GC.GetTotalAllocatedBytes(precise: true) - before;
            }
        }

        return long.MaxValue;
    });

    // The least of some runs: what the code under test allocates, it allocates in each.
    private static async Task Least(Func<Task<long>> measure)
    {
        long least = long.MaxValue;
        for (int run = 0; run < 6 && least > Tolerance; run++)
        {
            least = Math.Min(least, await measure());
        }

        TestContext.Out.WriteLine($"{least} bytes for {Tokens} tokens");
        least.Should().BeLessThanOrEqualTo(Tolerance);
    }
}
