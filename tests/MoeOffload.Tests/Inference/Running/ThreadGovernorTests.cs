using System.Diagnostics;
using FluentAssertions;
using MoeOffload.Inference.Running;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>How many threads compute, on machines that are described by what a token costs with each number of threads.</summary>
[TestFixture]
public sealed class ThreadGovernorTests
{
    private static readonly double s_millisecond = Stopwatch.Frequency / 1000.0;

    [Test]
    public void Machine_of_its_own_is_used_whole_if_that_is_fastest()
    {
        var machine = new Machine(8) { Milliseconds = threads => 20.0 / threads };
        machine.Run(seconds: 10);
        machine.Counts.TakeLast(200).Count(count => count == 8).Should().BeGreaterThan(190);
        machine.Ideal.Should().BeGreaterThan(0.97);
    }

    [TestCase(2)]
    [TestCase(8)]
    [TestCase(64)]
    public void Small_model_is_computed_with_one_thread_if_waiting_costs_more_than_others_gain(int most)
    {
        var machine = new Machine(most) { Milliseconds = threads => 0.3 * Math.Sqrt(threads) };
        machine.Run(seconds: 10);
        machine.Counts.TakeLast(1000).Count(count => count == 1).Should().BeGreaterThan(950);
    }

    [Test]
    public void Best_number_between_one_and_all_is_found()
    {
        var machine = new Machine(16) { Milliseconds = threads => (20.0 / threads) + (0.5 * threads) };
        machine.Run(seconds: 20);
        machine.Milliseconds(machine.Counts[^1]).Should().BeLessThan(1.1 * machine.Milliseconds(6));
    }

    [Test]
    public void Other_program_that_comes_and_goes_is_followed_within_a_second_if_its_load_is_seen()
    {
        var machine = new Machine(2) { Milliseconds = threads => 10.0 / threads };
        machine.Run(seconds: 3);
        machine.Milliseconds = threads => threads == 1 ? 10 : 40;
        machine.Cores = 1;
        machine.Run(seconds: 0.2);
        machine.Counts[^1].Should().Be(1);
        machine.Milliseconds = threads => 10.0 / threads;
        machine.Cores = 2;
        machine.Run(seconds: 1);
        machine.Counts[^1].Should().Be(2);
    }

    [Test]
    public void Other_program_that_comes_and_goes_is_followed_within_seconds_if_only_the_steps_tell()
    {
        var machine = new Machine(2) { Milliseconds = threads => 10.0 / threads };
        machine.Run(seconds: 3);
        machine.Milliseconds = threads => threads == 1 ? 10 : 40;
        machine.Run(seconds: 1);
        machine.Counts[^1].Should().Be(1);
        machine.Milliseconds = threads => 10.0 / threads;
        machine.Run(seconds: 8);
        machine.Counts[^1].Should().Be(2);
    }

    [Test]
    public void Trials_cost_little_if_nothing_else_is_better()
    {
        var machine = new Machine(2) { Milliseconds = threads => threads == 1 ? 10 : 200 };
        machine.Run(seconds: 30);
        machine.Counts.Count(count => count == 2).Should().BeLessThan(60);
        machine.Ideal.Should().BeGreaterThan(0.75);
    }

    [Test]
    public void Steps_of_other_sizes_have_numbers_of_their_own()
    {
        var machine = new Machine(4);
        for (int i = 0; i < 200; i++)
        {
            machine.Milliseconds = threads => 0.5 * threads;
            machine.Run(seconds: 0.05, tokens: 1);
            machine.Milliseconds = threads => 40.0 / threads;
            machine.Run(seconds: 0.05, tokens: 300);
        }

        machine.Governor.Choose(1).Should().Be(1);
        machine.Governor.Choose(300).Should().Be(4);
        machine.Governor.Choose(500).Should().Be(4);
    }

    [Test]
    public void Prompts_use_what_is_left_and_fewer_only_if_they_become_slower()
    {
        var machine = new Machine(4) { Milliseconds = threads => 80.0 / threads };
        machine.Run(seconds: 10, tokens: 400);
        machine.Counts.Should().OnlyContain(count => count == 4);
        machine.Milliseconds = threads => threads == 4 ? 200 : 80.0 / threads;
        machine.Run(seconds: 3, tokens: 400);
        machine.Counts.TakeLast(10).Should().Contain(3);
        machine.Cores = 2;
        machine.Run(seconds: 0.1, tokens: 400);
        machine.Counts[^1].Should().Be(2);
        machine.Cores = 4;
        machine.Run(seconds: 0.1, tokens: 400);
        machine.Counts[^1].Should().Be(4);
    }

    [Test]
    public void Prompts_use_all_cores_again_after_what_slowed_them_has_ended()
    {
        var machine = new Machine(2) { Milliseconds = threads => 40.0 / threads };
        machine.Run(seconds: 1, tokens: 400);
        machine.Milliseconds = threads => threads == 2 ? 200 : 40;
        machine.Run(seconds: 2, tokens: 400);
        machine.Counts[^1].Should().Be(1);
        machine.Milliseconds = threads => 40.0 / threads;
        machine.Run(seconds: 8, tokens: 400);
        machine.Counts[^1].Should().Be(2);
    }

    [TestCase(0.2, 1)]
    [TestCase(1.4, 1)]
    [TestCase(1.6, 2)]
    [TestCase(9, 4)]
    public void Limit_is_the_number_of_cores_that_others_leave(double cores, int expected)
    {
        var governor = new ThreadGovernor(4);
        governor.Limit(cores, 0);
        governor.Choose(1).Should().Be(expected);
    }

    /// <summary>A machine on which each step takes a known time.</summary>
    private sealed class Machine(int most)
    {
        private double _best;
        private double _taken;
        private long _now;

        public ThreadGovernor Governor { get; } = new(most);

        public Func<int, double> Milliseconds { get; set; } = _ => 1;

        public double? Cores { get; set; }

        public List<int> Counts { get; } = [];

        /// <summary>The time of the steps with the best number of threads each, by the time that they took.</summary>
        public double Ideal => _best / _taken;

        public void Run(double seconds, int tokens = 1)
        {
            double best = Enumerable.Range(1, most).Min(Milliseconds);
            for (double milliseconds = 0; milliseconds < 1000 * seconds;)
            {
                if (Cores is { } cores)
                {
                    Governor.Limit(cores, _now);
                }

                int count = Governor.Choose(tokens);
                double step = Milliseconds(count);
                long ticks = (long)(step * s_millisecond);
                _now += ticks;
                Governor.OnStep(tokens, ticks, _now);
                Counts.Add(count);
                milliseconds += step;
                _best += best;
                _taken += step;
            }
        }
    }
}
