using FluentAssertions;
using MoeOffload.Inference.Running;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>No wake-up is lost, and each ends one wait.</summary>
[TestFixture]
public sealed class WakeSignalTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Test]
    public void Wake_ups_before_a_wait_end_that_one_and_not_the_next()
    {
        var signal = new WakeSignal();
        signal.Set();
        signal.Set();
        signal.Wait(Timeout.InfiniteTimeSpan);
        signal.WaitCount.Should().Be(1);
        signal.Wait(TimeSpan.FromMilliseconds(1));
        signal.WaitCount.Should().Be(2);
    }

    [Test]
    public void Time_limit_may_be_any()
    {
        var signal = new WakeSignal();
        signal.Set();
        signal.Wait(TimeSpan.MaxValue);
        signal.Wait(TimeSpan.Zero);
        signal.WaitCount.Should().Be(2);
    }

    [Test]
    public async Task Each_of_many_wake_ups_is_noticed()
    {
        const int Count = 20_000;
        var signal = new WakeSignal();
        int written = 0;
        int seen = 0;
        Task waiting = Task.Run(() =>
        {
            while (Volatile.Read(ref seen) < Count)
            {
                signal.Wait(Timeout.InfiniteTimeSpan);
                Volatile.Write(ref seen, Volatile.Read(ref written));
            }
        });
        await Task.Run(() =>
        {
            for (int i = 1; i <= Count; i++)
            {
                Volatile.Write(ref written, i);
                signal.Set();
            }
        });
        await waiting.WaitAsync(s_patience);
        signal.WaitCount.Should().BeInRange(1, Count);
    }
}
