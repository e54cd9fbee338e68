using System.Diagnostics;
using FluentAssertions;
using MoeOffload.Inference.Running;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>Steps begin when they fit into a budget, by a clock that the tests set.</summary>
[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BudgetAccountTests
{
    private static readonly long s_millisecond = Stopwatch.Frequency / 1000;

    private readonly BudgetAccount _account = new(new ComputeBudget(TimeSpan.FromMilliseconds(4), TimeSpan.FromMilliseconds(16)), mostTokens: 512);

    [Test]
    public void First_step_begins_at_once() => Pause(at: 1000).Should().Be(0);

    [Test]
    public void Steps_begin_while_one_more_fits_and_continue_in_the_next_period()
    {
        Step(at: 100, milliseconds: 1.5);
        Pause(at: 101.5).Should().Be(0);
        Step(at: 101.5, milliseconds: 1.5);

        Pause(at: 103).Should().Be(13, "3 ms are used, and a step of 1.5 ms does not fit into 4 ms");
        Pause(at: 110).Should().Be(6);
        Pause(at: 116).Should().Be(0);
    }

    [Test]
    public void Period_begins_with_a_step_and_not_with_the_end_of_the_last_one()
    {
        Step(at: 0, milliseconds: 3);
        Step(at: 50, milliseconds: 3);

        Pause(at: 53).Should().Be(13);
    }

    [Test]
    public void Step_that_does_not_fit_is_followed_by_a_longer_pause()
    {
        Pause(at: 0).Should().Be(0);
        Step(at: 0, milliseconds: 40);

        Pause(at: 40).Should().Be(120, "40 ms are a quarter of 160 ms");
        Pause(at: 160).Should().Be(0);
    }

    [TestCase(0.3)]
    [TestCase(3)]
    [TestCase(7)]
    [TestCase(90)]
    public void Share_is_kept_over_a_long_time_whatever_a_step_takes(double milliseconds)
    {
        double now = 0;
        double computed = 0;
        for (int i = 0; i < 1000; i++)
        {
            now += Pause(now);
            Step(now, milliseconds);
            now += milliseconds;
            computed += milliseconds;
        }

        now += Pause(now);
        (computed / now).Should().BeLessThanOrEqualTo(0.2501).And.BeGreaterThan(0.15, "budget that fits is used");
    }

    [Test]
    public void Prompts_are_computed_in_parts_that_fit()
    {
        double now = 0;
        int tokens = 0;
        for (int i = 0; i < 20; i++)
        {
            now += Pause(now);
            tokens = _account.CountPromptTokens(At(now));
            Step(now, tokens * 0.05, tokens);
            now += tokens * 0.05;
        }

        tokens.Should().BeInRange(70, 80, "a token takes 0.05 ms of 4 ms");
    }

    [Test]
    public void Part_of_a_prompt_shrinks_when_it_takes_too_long_but_has_some_tokens()
    {
        Step(at: 0, milliseconds: 8, tokens: 16);
        _account.CountPromptTokens(At(1000)).Should().Be(8);

        Step(at: 1000, milliseconds: 800, tokens: 8);
        _account.CountPromptTokens(At(9000)).Should().Be(4);
    }

    [Test]
    public void Part_of_a_prompt_takes_what_is_left_of_the_period()
    {
        Step(at: 0, milliseconds: 2, tokens: 16);

        _account.CountPromptTokens(At(3)).Should().Be(16, "32 tokens take 4 ms, of which 2 are left");
    }

    [Test]
    public void Whole_time_needs_no_pause()
    {
        var account = new BudgetAccount(ComputeBudget.FromShare(1), mostTokens: 8);
        account.OnStep(At(0), At(300), 8);

        account.FindPause(At(300)).Should().Be(TimeSpan.Zero);
        account.CountPromptTokens(At(300)).Should().Be(4);
    }

    private static long At(double milliseconds) => (long)Math.Round(milliseconds * s_millisecond);

    private double Pause(double at) => Math.Round(_account.FindPause(At(at)).TotalMilliseconds, 6);

    private void Step(double at, double milliseconds, int tokens = 1) => _account.OnStep(At(at), At(milliseconds), tokens);
}
