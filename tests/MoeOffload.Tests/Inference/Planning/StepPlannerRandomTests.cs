using FluentAssertions;
using MoeOffload.Inference.Planning;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Planning;

/// <summary>
/// Thousands of steps with requests that come, are cancelled, expire, are not read, and steps that are stopped or find no room: no request
/// starves or ends twice, no cell is used twice, budgets hold, and each text is that of its request alone.
/// </summary>
[TestFixture]
public sealed class StepPlannerRandomTests
{
    private const int Steps = 2000;
    private const int PromptLimit = 12;

    private static readonly CacheShape s_split = new() { SequenceCount = 4, CellCount = 256, SequenceLength = 64, BatchSize = 32 };

    private static readonly CacheShape s_unified = new() { SequenceCount = 4, CellCount = 128, SequenceLength = 128, BatchSize = 32, IsUnified = true };

    private static readonly Dictionary<string, (CacheShape Shape, DraftLimits? Drafts)> s_cases = new()
    {
        ["split"] = (s_split, null),
        ["split, drafting"] = (s_split, new DraftLimits { MaxTokens = 4, MinAcceptanceRate = 0, MaxNgramSize = 3, MinNgramSize = 1 }),
        ["split, with system memory"] = (s_split with { HostBytes = 2000 }, null),
        ["unified"] = (s_unified, null),
        ["unified, with system memory"] = (s_unified with { HostBytes = 2000 }, null),
        ["windowed"] = (s_split with { WindowLength = 16, HostBytes = 2000 }, null),
        ["recurrent"] = (s_split with { CanTrim = false, HostBytes = 2000 }, null),
        ["keeping nothing"] = (s_unified with { KeepsPrefixes = false }, null),
    };

    public static IEnumerable<string> Names => s_cases.Keys;

    [Test]
    public void Every_request_ends_once_with_its_own_text([ValueSource(nameof(Names))] string name, [Range(1, 4)] int seed)
    {
        (CacheShape shape, DraftLimits? drafts) = s_cases[name];
        var random = new Random(seed);
        var driver = new PlannerDriver(shape, PromptLimit, drafts);
        List<SequenceRequest> requests = [];
        for (int step = 0; step < Steps; step++)
        {
            if (random.Next(3) == 0 && driver.Open.Count() < 12)
            {
                requests.Add(Add(driver, random, canShift: shape.CanTrim));
            }

            Disturb(driver, random);
            driver.Step(stopAfter: random.Next(10) == 0 ? random.Next(8) : null);
            CheckBudgets(driver, shape);
        }

        Drain(driver);
        requests.Should().HaveCountGreaterThan(100).And.AllSatisfy(request => driver.Ends(request).Should().Be(1));
        int compared = requests.Count(request => IsAsAlone(driver, request));
        compared.Should().BeGreaterThan(requests.Count / 2);
        driver.Planner.Cache.Slots.Should().NotContain(slot => slot.IsBusy);
        driver.Planner.Cache.Close();
        driver.Cache.OpenStates.Should().Be(0, "all system memory is given back");
    }

    private static SequenceRequest Add(PlannerDriver driver, Random random, bool canShift)
    {
        // Few beginnings, so that many requests share one.
        var shared = new Random(random.Next(3));
        int[] prompt =
        [
            .. Enumerable.Range(0, random.Next(1, 40)).Select(_ => shared.Next(1, PlannerDriver.Vocabulary)),
            .. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(1, PlannerDriver.Vocabulary)),
        ];
        var limits = new RequestLimits
        {
            Priority = random.Next(3),
            MaxTokens = random.Next(1, 80),
            WhenFull = canShift && random.Next(4) == 0 ? ContextFullAction.Shift : random.Next(2) == 0 ? ContextFullAction.Error : ContextFullAction.Stop,
        };
        long deadline = random.Next(4) == 0 ? driver.Now + random.Next(1, 100) : long.MaxValue;
        return driver.Add(prompt, limits, new TestOutput { Room = random.Next(3) }, deadline);
    }

    private static void Disturb(PlannerDriver driver, Random random)
    {
        foreach (SequenceRequest request in driver.Open)
        {
            var output = (TestOutput)request.Output;
            output.Room = random.Next(4) == 0 ? 0 : Math.Min(8, output.Room + random.Next(3));
            output.IsCancelled |= random.Next(200) == 0;
        }

        driver.Cache.HasHostMemory = random.Next(10) != 0;
        driver.Cache.CanShift = random.Next(4) != 0;
        if (random.Next(300) == 0)
        {
            driver.Lose();
        }

        if (random.Next(300) == 0)
        {
            driver.Cache.Run(driver.Planner.Cache, driver.Planner.Cache.Invalidate());
        }
    }

    private static void CheckBudgets(PlannerDriver driver, CacheShape shape)
    {
        HostCache host = driver.Planner.Cache.Host;
        host.Bytes.Should().BeLessThanOrEqualTo(shape.KeepsPrefixes ? shape.HostBytes : 0);
        driver.Cache.OpenStates.Should().Be(host.Sequences.Count);
        driver.Planner.Running.Count.Should().BeLessThanOrEqualTo(shape.SequenceCount);
        IGrouping<int, SequenceRequest>[] urgent = [.. driver.Planner.Running.GroupBy(request => request.Priority).OrderByDescending(group => group.Key)];
        urgent.FirstOrDefault()?.Max(request => request.StepsPassedOver).Should().BeLessThanOrEqualTo(
            4 + shape.SequenceCount, "no prompt is passed over for long by others of its priority");
    }

    // Once readers take all and nothing more comes, all that is open ends soon.
    private static void Drain(PlannerDriver driver)
    {
        for (int step = 0; driver.Open.Any(); step++)
        {
            step.Should().BeLessThan(12 * 120, "no request starves");
            foreach (SequenceRequest request in driver.Open)
            {
                ((TestOutput)request.Output).Room = 8;
            }

            driver.Step();
        }
    }

    // What a shift has forgotten shows in what follows; up to there the text is the request's own.
    private static bool IsAsAlone(PlannerDriver driver, SequenceRequest request)
    {
        List<int> generated = driver.Generated(request);
        long history = 0;
        foreach (int token in request.Prompt.Span)
        {
            history = CacheModel.Extend(history, token);
        }

        int length = Math.Min(generated.Count, 60 - request.Prompt.Length);
        for (int i = 0; i < length; i++)
        {
            generated[i].Should().Be(PlannerDriver.Next(history), "token {0} of {1} follows from all before it", i, generated.Count);
            history = CacheModel.Extend(history, generated[i]);
        }

        return length > 0;
    }
}
