using System.Diagnostics;
using System.Text;
using FluentAssertions;
using MoeOffload.Inference.Running;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>How many cores other programs leave, by the processor times of the operating system.</summary>
[TestFixture]
public sealed class AvailableCoresTests
{
    private TimeSpan _idle;
    private TimeSpan _process;
    private long _now;

    [Test]
    public void Idle_cores_and_those_that_compute_are_available()
    {
        var cores = Begin();
        Pass(seconds: 1, idle: 2, process: 1);
        cores.Measure(_now).Should().BeApproximately(3, 0.01, "a process that has not computed loads its model");
        for (int i = 0; i < 20; i++)
        {
            cores.OnComputed(Stopwatch.Frequency / 2, threads: 2);
            Pass(seconds: 1, idle: 1, process: 1);
            cores.Measure(_now);
        }

        cores.OnComputed(Stopwatch.Frequency / 2, threads: 2);
        Pass(seconds: 1, idle: 1, process: 1);
        cores.Measure(_now).Should().BeApproximately(2, 0.01);
    }

    [Test]
    public void Other_threads_of_this_process_are_not_available()
    {
        var cores = Begin();
        Pass(seconds: 1, idle: 2, process: 0);
        cores.Measure(_now);
        double? measured = null;
        for (int i = 0; i < 20; i++)
        {
            cores.OnComputed(Stopwatch.Frequency, threads: 1);
            Pass(seconds: 1, idle: 0, process: 2);
            measured = cores.Measure(_now);
        }

        measured.Should().BeApproximately(1, 0.01);
    }

    [Test]
    public void Times_are_not_read_before_they_say_anything()
    {
        var cores = Begin();
        Pass(seconds: 0.1, idle: 0.1, process: 0);
        cores.Measure(_now).Should().BeNull();
        Pass(seconds: 0.2, idle: 0.2, process: 0);
        cores.Measure(_now).Should().NotBeNull();
    }

    [Test]
    public void Operating_system_that_tells_no_times_gives_no_measurement()
    {
        var cores = new AvailableCores(() => null);
        cores.Begin(0);
        cores.Measure(10 * Stopwatch.Frequency).Should().BeNull();
    }

    [Test]
    public void What_ran_during_a_pause_is_forgotten_soon_if_it_has_ended()
    {
        var cores = Begin();
        Pass(seconds: 10, idle: 0, process: 0);
        cores.Measure(_now).Should().BeApproximately(0, 0.01);
        cores.OnComputed(Stopwatch.Frequency / 20, threads: 1);
        Pass(seconds: 0.05, idle: 0.05, process: 0.05);
        cores.Measure(_now).Should().BeApproximately(2, 0.01);
        Pass(seconds: 0.05, idle: 0.05, process: 0.05);
        cores.Measure(_now).Should().BeNull("later ones are measured over a longer time");
    }

    [TestCase("cpu  100 20 30 4000 500 6 7 0 0 0\ncpu0 1 2 3 4", 45000)]
    [TestCase("cpu 1 2 3 4 5", 90)]
    public void Idle_time_is_read_from_the_first_line(string text, int milliseconds) =>
        SystemProcessorTimes.ParseIdle(Encoding.ASCII.GetBytes(text)).Should().Be(TimeSpan.FromMilliseconds(milliseconds));

    [TestCase("")]
    [TestCase("cpu")]
    [TestCase("cpu  1 2 3")]
    [TestCase("intr 1 2 3 4 5 6")]
    [TestCase("cpu  1 2 3 x 5")]
    public void Other_lines_tell_nothing(string text) => SystemProcessorTimes.ParseIdle(Encoding.ASCII.GetBytes(text)).Should().BeNull();

    [Test]
    [Platform("Linux,Win")]
    public void Times_of_this_machine_go_on()
    {
        ProcessorTimes before = SystemProcessorTimes.Read()!.Value;
        var spin = Stopwatch.StartNew();
        while (spin.ElapsedMilliseconds < 100)
        {
            // This thread uses its core.
        }

        ProcessorTimes after = SystemProcessorTimes.Read()!.Value;
        after.Process.Should().BeGreaterThan(before.Process);
        after.Idle.Should().BePositive();
    }

    private AvailableCores Begin()
    {
        var cores = new AvailableCores(() => new ProcessorTimes(_idle, _process));
        cores.Begin(_now);
        return cores;
    }

    private void Pass(double seconds, double idle, double process)
    {
        _now += (long)(seconds * Stopwatch.Frequency);
        _idle += TimeSpan.FromSeconds(idle);
        _process += TimeSpan.FromSeconds(process);
    }
}
