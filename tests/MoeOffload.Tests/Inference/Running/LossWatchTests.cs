using FluentAssertions;
using MoeOffload.Inference.Running;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>A step that hangs is abandoned; one that only takes long is not.</summary>
[TestFixture]
public sealed class LossWatchTests
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(50);

    // Far more than any test takes, on any machine.
    private static readonly TimeSpan s_long = TimeSpan.FromHours(1);

    private readonly List<string> _events = [];
    private StepState _step = null!;

    [SetUp]
    public void MakeStep()
    {
        _events.Clear();
        _step = new StepState(new StepRegistry());
    }

    [TearDown]
    public void EndStep() => _step.End();

    [Test]
    public async Task Lost_server_fails_everything_and_a_step_that_hangs_is_abandoned()
    {
        _step.Begin();
        await Watch(s_short, s_long).OnServerLostAsync("a:1", "reset");
        _events.Should().SatisfyRespectively(
            failed => failed.Should().StartWith("fail RPC server a:1 was lost (reset)"),
            abandoned => abandoned.Should().StartWith("abandon 1 RPC server a:1 was lost"));
    }

    [Test]
    public async Task Lost_server_of_an_idle_thread_abandons_nothing()
    {
        await Watch(s_short, s_long).OnServerLostAsync("a:1", "reset");
        _events.Should().ContainSingle().Which.Should().StartWith("fail ");
    }

    [Test]
    public async Task Healthy_step_ends_when_it_is_asked_to_and_nothing_is_failed_for_the_abort_of_another()
    {
        _step.Begin();
        await Watch(s_long, s_long, interrupt: () => _step.End()).OnThreadLostAsync("test.c:1: made up");
        _events.Should().Equal("interrupt");
    }

    [Test]
    public async Task Step_that_does_not_end_when_it_is_asked_to_is_abandoned_and_told_why()
    {
        _step.Begin();
        await Watch(s_short, s_short).OnThreadLostAsync("test.c:1: made up");
        _events.Should().Equal("interrupt", "abandon 1 llama.cpp aborted in a thread of the computation, which cannot continue (test.c:1: made up). Create a new session.");
    }

    [Test]
    public async Task Idle_thread_is_left_alone_when_a_thread_of_another_ends()
    {
        await Watch(s_short, s_short).OnThreadLostAsync("test.c:1: made up");
        _events.Should().BeEmpty();
    }

    [Test]
    public async Task Step_has_long_if_the_thread_that_ended_may_be_anothers_that_was_abandoned()
    {
        _step.Begin();
        _step.Registry.OnThreadLost();
        Task watching = Watch(s_short, s_long).OnThreadLostAsync("test.c:1: made up");
        await Task.Delay(3 * s_short);
        _step.End();
        await watching;
        _events.Should().Equal("interrupt");
    }

    [Test]
    public async Task Step_that_takes_as_long_as_one_before_is_not_abandoned_at_a_stop()
    {
        _step.Begin();
        await Task.Delay(s_short);
        _step.End();
        _step.Begin();
        Task watching = Watch(s_short, TimeSpan.Zero, factor: 1e6).OnStopAsync(["a:1"]);
        await Task.Delay(2 * s_short);
        _step.End();
        await watching;
        _events.Should().BeEmpty();
    }

    [Test]
    public async Task Step_that_waits_for_a_silent_server_is_abandoned_at_a_stop_and_one_without_servers_never()
    {
        _step.Begin();
        await Watch(s_short, s_short).OnStopAsync([]);
        _events.Should().BeEmpty();
        await Watch(s_short, s_short).OnStopAsync(["a:1"]);
        _events.Should().Equal("abandon 1 RPC server a:1 does not answer.");
    }

    private LossWatch Watch(TimeSpan known, TimeSpan unknown, double factor = 1, Action? interrupt = null) => new(
        _step,
        new LossTimeouts { ServerLost = known, ThreadLost = known, Unknown = unknown, StepFactor = factor },
        () =>
        {
            _events.Add("interrupt");
            interrupt?.Invoke();
        },
        reason => _events.Add($"fail {reason}"),
        (number, reason) => _events.Add($"abandon {number} {reason}"));
}
