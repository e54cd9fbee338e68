using FluentAssertions;
using MoeOffload.Inference.Output;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Output;

/// <summary>A waiting reader is woken exactly once.</summary>
[TestFixture]
public sealed class ReaderSignalTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Set_after_arm_completes_the_wait()
    {
        var signal = new ReaderSignal();
        signal.Arm();
        ValueTask<bool> wait = signal.Task;
        wait.IsCompleted.Should().BeFalse();
        signal.Set();
        (await wait).Should().BeTrue();
    }

    [Test]
    public void Set_before_arm_is_not_kept()
    {
        var signal = new ReaderSignal();
        signal.Set();
        signal.Arm();
        signal.TryDisarm().Should().BeTrue("the reader looks for itself after it has armed");
    }

    [Test]
    public async Task Wake_up_on_its_way_must_be_awaited()
    {
        var signal = new ReaderSignal();
        signal.Arm();
        signal.Set();
        signal.TryDisarm().Should().BeFalse();
        (await signal.Task).Should().BeTrue();
    }

    [Test]
    public async Task No_wake_up_is_lost_between_two_threads()
    {
        const int Count = 50_000;
        var signal = new ReaderSignal();
        int written = 0;
        Task writing = Task.Run(() =>
        {
            for (int i = 1; i <= Count; i++)
            {
                Volatile.Write(ref written, i);
                signal.Set();
            }
        });
        Task reading = Task.Run(async () =>
        {
            for (int seen = 0; seen < Count; seen = Volatile.Read(ref written))
            {
                signal.Arm();
                if (Volatile.Read(ref written) == seen || !signal.TryDisarm())
                {
                    await signal.Task;
                }
            }
        });
        await Task.WhenAll(writing, reading).WaitAsync(s_patience);
    }
}
