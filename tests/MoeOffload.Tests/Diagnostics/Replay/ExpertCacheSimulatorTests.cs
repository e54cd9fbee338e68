using FluentAssertions;
using MoeOffload.Diagnostics;
using MoeOffload.Tests.Diagnostics.Traces;
using NUnit.Framework;

namespace MoeOffload.Tests.Diagnostics.Replay;

/// <summary>Each policy has the hits that follow by hand from its definition, and the relations between policies hold for all traces.</summary>
[TestFixture]
public sealed class ExpertCacheSimulatorTests
{
    private static readonly ExpertCachePolicy[] s_all = Enum.GetValues<ExpertCachePolicy>();

    // The letters of a text are the experts of a layer, one for each token. An expert has 100 bytes.
    [TestCase("ABCABDAB", 2, ExpertCachePolicy.LeastRecentlyUsed, 0)] // each is evicted just before it is used again
    [TestCase("AABBAABB", 2, ExpertCachePolicy.LeastRecentlyUsed, 6)]
    [TestCase("ABCABDAB", 3, ExpertCachePolicy.LeastRecentlyUsed, 4)] // C is evicted for D
    [TestCase("AAABCABC", 2, ExpertCachePolicy.LeastRecentlyUsed, 2)]
    [TestCase("AAABCABC", 2, ExpertCachePolicy.LeastFrequentlyUsed, 3)] // A stays; B and C evict each other
    [TestCase("AAABBCBC", 2, ExpertCachePolicy.LeastFrequentlyUsed, 3)] // C evicts B, which has fewer uses than A: B C B C all miss
    [TestCase("AAABBCBC", 2, ExpertCachePolicy.LeastRecentlyUsed, 5)] // C evicts A, so that B and C hit
    [TestCase("AAAABBBCBC", 2, ExpertCachePolicy.LeastStale, 7)] // at C, A: (7 - 3) / 4 uses = 1 and B: (7 - 6) / 3, so A goes
    [TestCase("AAAAAABCB", 2, ExpertCachePolicy.LeastStale, 5)] // at C, A: (7 - 5) / 6 and B: (7 - 6) / 1, so B goes
    [TestCase("AAAAAABCB", 2, ExpertCachePolicy.LeastRecentlyUsed, 6)]
    [TestCase("ABCABDAB", 2, ExpertCachePolicy.Belady, 4)] // A and B stay
    [TestCase("ABCABDAB", 1, ExpertCachePolicy.Belady, 2)] // A stays
    [TestCase("ABCBCA", 2, ExpertCachePolicy.Belady, 2)] // A goes for C, or B and A stay: two hits either way
    [TestCase("ABCDABCD", 4, ExpertCachePolicy.Belady, 4)]
    [TestCase("ABCABDAB", 2, ExpertCachePolicy.StaticHottest, 4)] // A and B, from their first use on
    [TestCase("ABCABDAB", 1, ExpertCachePolicy.StaticHottest, 2)]
    [TestCase("ABCABDAB", 7, ExpertCachePolicy.WholeLayers, 0)] // the layer has eight experts
    [TestCase("ABCABDAB", 8, ExpertCachePolicy.WholeLayers, 4)]
    public void Hits_are_those_worked_out_by_hand(string experts, int room, ExpertCachePolicy policy, int hits)
    {
        ExpertCacheResult result = new ExpertCacheSimulator(Trace(experts)).Run(policy, room * 100);

        int misses = experts.Length - hits;
        result.Should().Be(new ExpertCacheResult(
            policy, room * 100, new ExpertCacheUse(experts.Length, hits, misses, hits * 100, misses * 100), result.All));
        result.All.HitRate.Should().Be(hits / (double)experts.Length);
        result.All.MovedBytesPerToken.Should().Be(misses * 100 / (double)experts.Length);
    }

    [Test]
    public void Whole_layers_are_those_with_the_most_uses_for_each_byte()
    {
        // Layer 0 has small experts and layer 1 large ones; each is used once a token.
        ExpertTrace trace = ExpertTraces.Load(ExpertTraces.Record(ExpertTraces.Model(experts: 4, used: 1, bytes: [100, 300]), recorder =>
        {
            for (int i = 0; i < 10; i++)
            {
                recorder.OnChoices(0, 1, 1, 1, [i % 4]);
                recorder.OnChoices(1, 1, 1, 1, [i % 4]);
                recorder.OnStep(1, 1, isComplete: true);
            }
        }));
        var simulator = new ExpertCacheSimulator(trace);

        simulator.Run(ExpertCachePolicy.WholeLayers, 1199).All.Should().Be(new ExpertCacheUse(10, 6, 14, 600, 400 + 3000));
        simulator.Run(ExpertCachePolicy.WholeLayers, 1600).All.Should().Be(new ExpertCacheUse(10, 12, 8, 600 + 1800, 400 + 1200));
        (simulator.UsedBytes, simulator.LargestExpertBytes).Should().Be((1600, 300));
    }

    [Test]
    public void Expert_counts_once_for_each_layer_and_micro_batch()
    {
        ExpertTrace trace = ExpertTraces.Load(ExpertTraces.Record(ExpertTraces.Model(experts: 4, used: 2), recorder =>
        {
            recorder.OnChoices(0, 3, 2, 2, [0, 1, 1, 0, 2, -1]);
            recorder.OnStep(3, 1, isComplete: true);
            recorder.OnChoices(0, 1, 2, 2, [0, 3]);
            recorder.OnStep(1, 1, isComplete: true);
        }));

        ExpertCacheResult result = new ExpertCacheSimulator(trace).Run(ExpertCachePolicy.LeastRecentlyUsed, 400);

        result.All.Should().Be(new ExpertCacheUse(4, 1, 4, 100, 400));
        result.Decode.Should().Be(new ExpertCacheUse(1, 1, 1, 100, 100));
    }

    [Test]
    public void Layers_of_unknown_size_are_left_out()
    {
        ExpertTrace trace = ExpertTraces.Load(ExpertTraces.Record(ExpertTraces.Model(experts: 4, used: 1, bytes: [0, 100]), recorder =>
        {
            recorder.OnChoices(0, 1, 1, 1, [0]);
            recorder.OnChoices(1, 1, 1, 1, [0]);
            recorder.OnStep(1, 1, isComplete: true);
        }));

        new ExpertCacheSimulator(trace).Run(ExpertCachePolicy.Belady, 100).All.Should().Be(new ExpertCacheUse(1, 0, 1, 0, 100));
    }

    [Test]
    public void Belady_is_never_worse_than_another_policy([Range(0, 39)] int seed)
    {
        var simulator = new ExpertCacheSimulator(RandomTrace(seed, [100, 100, 100]));
        for (int room = 1; room <= 25; room += 3)
        {
            long best = simulator.Run(ExpertCachePolicy.Belady, room * 100).All.Hits;

            s_all.Select(policy => simulator.Run(policy, room * 100).All.Hits).Should().OnlyContain(hits => hits <= best, "{0} experts fit", room);
        }
    }

    [Test]
    public void Hits_and_misses_add_up_and_all_policies_are_equal_where_everything_fits([Range(0, 9)] int seed)
    {
        var simulator = new ExpertCacheSimulator(RandomTrace(seed, [100, 250, 70]));
        long uses = simulator.MeasureReuse().ReuseCount + simulator.MeasureReuse().FirstUseCount;
        foreach (ExpertCachePolicy policy in s_all)
        {
            foreach (long budget in new long[] { 250, 600, 1500, 3360 })
            {
                ExpertCacheUse all = simulator.Run(policy, budget).All;
                (all.Hits + all.Misses).Should().Be(uses);
            }

            simulator.Run(policy, simulator.Trace.Model.TotalBytes).All.Misses.Should().Be(simulator.MeasureReuse().FirstUseCount);
        }
    }

    [Test]
    public void Hit_rate_of_least_recently_used_is_that_of_the_reuse_distances([Range(0, 19)] int seed)
    {
        // Of different sizes as well.
        var simulator = new ExpertCacheSimulator(RandomTrace(seed, seed % 2 == 0 ? [100, 100, 100] : [100, 250, 70]));
        ExpertReuse reuse = simulator.MeasureReuse();
        for (long budget = 250; budget < 4000; budget += 130)
        {
            reuse.GetHitRate(budget).Should().Be(simulator.Run(ExpertCachePolicy.LeastRecentlyUsed, budget).All.HitRate);
        }
    }

    [Test]
    public void Reuse_distances_are_those_worked_out_by_hand()
    {
        // A: B C A = 300; B: C A B = 300; B: 100; C: A B C = 300.
        ExpertReuse reuse = new ExpertCacheSimulator(Trace("ABCABBC")).MeasureReuse();

        (reuse.FirstUseCount, reuse.ReuseCount).Should().Be((3, 4));
        new[] { 99L, 100, 299, 300 }.Select(reuse.CountWithin).Should().Equal(0, 1, 1, 4);
        new[] { 0, 0.25, 0.26, 1 }.Select(reuse.GetQuantile).Should().Equal(100, 100, 300, 300);
        reuse.GetHitRate(300).Should().Be(4 / 7.0);
        FluentActions.Invoking(() => reuse.GetQuantile(double.NaN)).Should().Throw<ArgumentOutOfRangeException>();
        new ExpertCacheSimulator(Trace("A")).MeasureReuse().GetQuantile(0.5).Should().BeNull();
        new ExpertCacheSimulator(Trace("A")).MeasureReuse().GetHitRate(1000).Should().Be(0);
    }

    [Test]
    public void Bound_is_the_time_to_move_what_is_missing_and_to_read_all_from_memory()
    {
        var use = new ExpertCacheUse(TokenCount: 10, Hits: 3, Misses: 2, HitBytes: 300, MovedBytes: 200);

        use.GetBound(readSpeed: 100).Should().Be(5);
        use.GetBound(readSpeed: 100, memorySpeed: 250).Should().Be(2.5);
        default(ExpertCacheUse).GetBound(1).Should().Be(0);
        (use with { MovedBytes = 0 }).GetBound(1).Should().Be(double.PositiveInfinity);
        FluentActions.Invoking(() => use.GetBound(0)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => use.GetBound(1, double.NaN)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Test]
    public void Budgets_and_policies_that_cannot_be_are_refused()
    {
        var simulator = new ExpertCacheSimulator(Trace("AB"));

        FluentActions.Invoking(() => simulator.Run(ExpertCachePolicy.Belady, 99)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("The largest expert has 100 bytes*");
        FluentActions.Invoking(() => simulator.Run((ExpertCachePolicy)9, 100)).Should().Throw<ArgumentOutOfRangeException>();
        FluentActions.Invoking(() => new ExpertCacheSimulator(null!)).Should().Throw<ArgumentNullException>();
    }

    private static ExpertTrace Trace(string experts) =>
        ExpertTraces.Of(ExpertTraces.Model(), [.. experts.Select(expert => new[] { expert - 'A' })]);

    // 200 tokens with prompts between them, whose experts are skewed and repeat.
    private static ExpertTrace RandomTrace(int seed, long[] bytes)
    {
        var random = new Random(seed);
        return ExpertTraces.Load(ExpertTraces.Record(ExpertTraces.Model(experts: 8, used: 2, bytes), recorder =>
        {
            for (int i = 0; i < 200; i++)
            {
                int rows = random.Next(20) == 0 ? 5 : 1;
                for (int layer = 0; layer < bytes.Length; layer++)
                {
                    int[] experts = [.. Enumerable.Range(0, rows * 2).Select(_ => (int)(8 * Math.Pow(random.NextDouble(), 1 + (seed % 3))))];
                    recorder.OnChoices(layer, rows, 2, 2, experts);
                }

                recorder.OnStep(rows, 1, isComplete: true);
            }
        }));
    }
}
