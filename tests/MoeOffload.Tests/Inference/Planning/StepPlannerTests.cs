using FluentAssertions;
using MoeOffload.Inference.Planning;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Planning;

/// <summary>Checks which tokens each step computes.</summary>
[TestFixture]
public sealed class StepPlannerTests
{
    private static readonly CacheShape s_shape = new() { SequenceCount = 3, CellCount = 768, SequenceLength = 256, BatchSize = 64 };

    [Test]
    public void Requests_are_admitted_by_priority_and_then_in_the_order_of_arrival()
    {
        var driver = new PlannerDriver(s_shape with { SequenceCount = 1 }, 16);
        SequenceRequest[] requests = [.. new[] { 0, 0, 5, -1, 5 }.Select(priority => driver.Add(Prompt(4), new RequestLimits { Priority = priority, MaxTokens = 1 }))];
        while (driver.Open.Any())
        {
            driver.Step();
        }

        requests.OrderBy(request => request.AdmissionNumber).Should().Equal(requests[2], requests[4], requests[0], requests[1], requests[3]);
    }

    [Test]
    public void Decoding_comes_before_prompts_whose_tokens_are_limited_meanwhile()
    {
        var driver = new PlannerDriver(s_shape, 16);
        driver.Add(Prompt(4), new RequestLimits());
        driver.Step();
        SequenceRequest late = driver.Add(Prompt(100), new RequestLimits());
        driver.Step();
        driver.LastPlan!.Entries.Should().HaveCount(1 + 16);
        late.ComputedPromptCount.Should().Be(16);
    }

    [Test]
    public void Prompt_that_is_alone_gets_the_whole_batch_and_logits_of_its_last_token_only()
    {
        var driver = new PlannerDriver(s_shape, 16);
        driver.Add(Prompt(100), new RequestLimits());
        driver.Step();
        driver.LastPlan!.Entries.Should().HaveCount(64).And.NotContain(entry => entry.WantsLogits);
        driver.Step();
        driver.LastPlan!.Entries.Should().HaveCount(36);
        driver.LastPlan!.Entries.Where(entry => entry.WantsLogits).Should().ContainSingle().Which.Position.Should().Be(99);
    }

    [Test]
    public void Shortest_prompt_comes_first_until_another_was_passed_over_four_times()
    {
        var driver = new PlannerDriver(s_shape with { KeepsPrefixes = false }, 16);
        SequenceRequest late = driver.Add(Prompt(200), new RequestLimits());
        int passedOver = 0;
        for (int step = 0; step < 40 && late.ComputedPromptCount < 64; step++)
        {
            while (driver.Planner.Running.Count + driver.Planner.Waiting.Count < 3)
            {
                driver.Add(Prompt(15), new RequestLimits { MaxTokens = 1 });
            }

            int before = step > 0 ? late.ComputedPromptCount : 0;
            driver.Step();
            passedOver = Math.Max(passedOver, late.StepsPassedOver);
        }

        late.ComputedPromptCount.Should().BeGreaterThanOrEqualTo(64);
        passedOver.Should().Be(4);
    }

    [Test]
    public void Prompts_that_come_together_are_done_one_after_the_other_and_not_all_at_the_end()
    {
        const int Count = 8;
        const int Length = 160;
        const int PerStep = 32;
        var driver = new PlannerDriver(new CacheShape { SequenceCount = Count + 1, CellCount = 4096, SequenceLength = 4096, BatchSize = 64 }, PerStep);
        driver.Add(Prompt(4), new RequestLimits());
        driver.Step();
        SequenceRequest[] requests = [.. Enumerable.Range(1, Count).Select(i => driver.Add([i, .. Prompt(Length - 1)], new RequestLimits { MaxTokens = 1 }))];

        List<int> ends = [];
        for (int step = 1; ends.Count < Count && step <= 2 * Count * Length / PerStep; step++)
        {
            driver.Step();
            ends.AddRange(Enumerable.Repeat(step, requests.Count(request => driver.Generated(request).Count > 0) - ends.Count));
        }

        // One that was passed over four times gets a step, so that the first takes more than its own five.
        ends.Should().HaveCount(Count);
        ends[^1].Should().Be(Count * Length / PerStep);
        ends[0].Should().BeLessThan(ends[^1] / 2);
        ends[Count / 2].Should().BeLessThan(ends[^1] * 85 / 100);
    }

    [Test]
    public void Reader_without_room_gets_no_token_and_its_prompt_is_computed_but_for_the_last_one()
    {
        var driver = new PlannerDriver(s_shape, 16);
        var output = new TestOutput { Room = 0 };
        SequenceRequest request = driver.Add(Prompt(10), new RequestLimits { MaxTokens = 3 }, output);
        driver.Step().Should().BeTrue();
        driver.Step().Should().BeFalse();
        request.ComputedPromptCount.Should().Be(9);
        output.Room = 1;
        driver.Step().Should().BeTrue();
        driver.Step().Should().BeFalse();
        driver.Generated(request).Should().HaveCount(1);
    }

    [Test]
    public void Deadline_ends_what_waits_and_what_runs_and_says_when_to_look_again()
    {
        var driver = new PlannerDriver(s_shape with { SequenceCount = 1 }, 16);
        SequenceRequest running = driver.Add(Prompt(4), new RequestLimits(), new TestOutput { Room = 1 }, deadline: 20);
        SequenceRequest waiting = driver.Add(Prompt(4), new RequestLimits(), deadline: 10);
        driver.Step();
        driver.Planner.FindNextDeadline().Should().Be(10);
        driver.Now = 9;
        driver.Step();
        driver.Ends(waiting).Should().Be(1);
        driver.Planner.FindNextDeadline().Should().Be(20);
        driver.Now = 20;
        driver.Step();
        running.EndReason.Should().Be(StopReason.Deadline);
        driver.Planner.FindNextDeadline().Should().Be(long.MaxValue);
    }

    [Test]
    public void Cancelled_requests_end_before_the_next_step_and_leave_their_place()
    {
        var driver = new PlannerDriver(s_shape with { SequenceCount = 1 }, 16);
        var outputs = new TestOutput[] { new(), new(), new() };
        SequenceRequest[] requests = [.. outputs.Select(output => driver.Add(Prompt(4), new RequestLimits(), output))];
        driver.Step();
        outputs[0].IsCancelled = outputs[1].IsCancelled = true;
        driver.Step();
        requests.Select(driver.Ends).Should().Equal(1, 1, 0);
        driver.Planner.Running.Should().Equal(requests[2]);
    }

    [Test]
    public void Stopped_step_is_computed_again()
    {
        var driver = new PlannerDriver(s_shape, 16);
        SequenceRequest request = driver.Add(Prompt(40), new RequestLimits { MaxTokens = 2 });
        driver.Step(stopAfter: 7);
        driver.Cache.Tokens(request.Sequence.Id).Should().BeEmpty();
        driver.Step();
        request.ComputedPromptCount.Should().Be(40);
    }

    [Test]
    public void Full_unified_cache_evicts_what_is_kept_and_then_preempts_the_youngest()
    {
        var driver = new PlannerDriver(
            new CacheShape { SequenceCount = 3, CellCount = 64, SequenceLength = 64, BatchSize = 64, IsUnified = true }, 64);
        driver.Add(Prompt(20, seed: 9), new RequestLimits { MaxTokens = 1 });
        driver.Step();
        driver.Step();
        SequenceRequest first = driver.Add(Prompt(20), new RequestLimits());
        SequenceRequest second = driver.Add(Prompt(20, seed: 2), new RequestLimits());
        for (int step = 0; step < 100 && !second.HasEnded && !first.HasEnded; step++)
        {
            driver.Step();
        }

        driver.Counters.Read(0, 0).Evictions.Should().Be(1);
        second.EndReason.Should().BeOneOf(StopReason.ContextFull, StopReason.EndOfSequence);
        first.EndReason.Should().NotBe(StopReason.ContextFull);
    }

    [Test]
    public void Prompt_that_does_not_fit_into_a_unified_cache_with_the_running_ones_waits()
    {
        var driver = new PlannerDriver(
            new CacheShape { SequenceCount = 3, CellCount = 64, SequenceLength = 64, BatchSize = 64, IsUnified = true }, 64);
        driver.Add(Prompt(40), new RequestLimits { MaxTokens = 2 });
        SequenceRequest late = driver.Add(Prompt(40, seed: 2), new RequestLimits { MaxTokens = 1 });
        driver.Step();
        late.HasSequence.Should().BeFalse();
        while (driver.Open.Any())
        {
            driver.Step();
        }

        late.EndReason.Should().BeOneOf(StopReason.MaxTokens, StopReason.EndOfSequence);
    }

    [Test]
    public void Lost_context_is_forgotten_and_what_waits_goes_on()
    {
        var driver = new PlannerDriver(s_shape with { SequenceCount = 1 }, 16);
        SequenceRequest running = driver.Add(Prompt(4), new RequestLimits());
        SequenceRequest waiting = driver.Add(Prompt(4), new RequestLimits { MaxTokens = 1 });
        driver.Step();
        driver.Lose();
        driver.Ends(running).Should().Be(1);
        driver.Step();
        waiting.CachedCount.Should().Be(0);
        waiting.GeneratedCount.Should().Be(1);
    }

    private static int[] Prompt(int length, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(1, PlannerDriver.Vocabulary))];
    }
}
