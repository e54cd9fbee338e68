using FluentAssertions;
using MoeOffload.Inference.Output;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>The ring and the wake-up between the scheduler and a reader, without a model to slow them down.</summary>
[TestFixture]
public sealed class TokenQueueTests
{
    [Test]
    public void Queue_holds_its_capacity_in_order_and_no_more()
    {
        var queue = new TokenQueue();
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < TokenQueue.Capacity; i++)
            {
                queue.Room.Should().Be(TokenQueue.Capacity - i);
                queue.Add(Token(i));
            }

            queue.Room.Should().Be(0);
            for (int i = 0; i < TokenQueue.Capacity; i++)
            {
                queue.TryTake(out GeneratedToken token).Should().BeTrue();
                token.Id.Should().Be(i);
            }

            queue.IsEmpty.Should().BeTrue();
            queue.TryTake(out _).Should().BeFalse();
        }
    }

    [Test]
    public async Task Reader_that_waits_for_each_token_is_woken_for_each()
    {
        const int Count = 200_000;
        var queue = new TokenQueue();
        var signal = new ReaderSignal();
        Task writing = Task.Factory.StartNew(
            () =>
            {
                var random = new Random(1);
                for (int i = 0; i < Count; i++)
                {
                    SpinWait.SpinUntil(() => queue.Room > 0);
                    queue.Add(Token(i));
                    signal.Set();
                    Thread.SpinWait(random.Next(100));
                }
            },
            TaskCreationOptions.LongRunning);

        Task<int> reading = Task.Run(async () =>
        {
            int next = 0;
            while (next < Count)
            {
                if (queue.TryTake(out GeneratedToken token))
                {
                    next = token.Id == next ? next + 1 : throw new InvalidDataException($"{token.Id} came in place of {next}");
                    continue;
                }

                signal.Arm();
                await (!queue.IsEmpty && signal.TryDisarm() ? ValueTask.FromResult(true) : signal.Task);
            }

            return next;
        });
        (await reading.WaitAsync(TimeSpan.FromSeconds(60))).Should().Be(Count);
        await writing;
    }

    private static GeneratedToken Token(int id) => new(id, default, float.NaN, null, null);
}
