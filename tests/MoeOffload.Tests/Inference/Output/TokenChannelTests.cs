using System.Diagnostics;
using FluentAssertions;
using MoeOffload.Inference.Output;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Output;

/// <summary>Checks what is passed between a reader and a writer: tokens, wake-ups, the end and its reason.</summary>
[TestFixture]
public sealed class TokenChannelTests
{
    private const long Start = 1_000_000_000_000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Writer_that_waits_for_room_is_woken_in_time_and_seldom()
    {
        const int Count = 100_000;
        var producer = new Producer();
        TokenChannel channel = Make(producer);
        channel.TryRead(out _);
        Task writing = Task.Run(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                while (!channel.HasRoom())
                {
                    producer.Woken.WaitOne(s_patience).Should().BeTrue("no wake-up is lost");
                }

                channel.Write(Token(i));
            }
        });
        await Task.Run(() =>
        {
            for (int next = 0; next < Count;)
            {
                if (channel.TryRead(out GeneratedToken token))
                {
                    token.Id.Should().Be(next++);
                }
            }
        }).WaitAsync(s_patience);
        await writing;
        producer.Rooms.Should().BeLessThanOrEqualTo((2 * Count / TokenQueue.Capacity) + 1, "a reader wakes the writer once for half a queue");
    }

    [Test]
    public void Reader_wakes_nobody_as_long_as_nobody_waits_for_room()
    {
        var producer = new Producer();
        TokenChannel channel = Make(producer);
        for (int frame = 0; frame < 1000; frame++)
        {
            channel.TryRead(out _);
            channel.HasRoom().Should().BeTrue();
            channel.Write(Token(frame));
        }

        producer.Rooms.Should().Be(0);
    }

    [Test]
    public void Stream_that_is_closed_cancels_its_generation_once_and_only_if_that_still_runs()
    {
        var producer = new Producer();
        TokenChannel running = Make(producer);
        running.TryRead(out _);
        running.Close();
        running.Close();
        producer.Cancels.Should().Be(1);

        TokenChannel ended = Make(producer);
        ended.TryRead(out _);
        ended.Finish(null, null, StopReason.MaxTokens);
        ended.Close();
        producer.Cancels.Should().Be(1);
    }

    [Test]
    public void Cancellation_token_lets_go_of_a_channel_that_has_ended()
    {
        using var cancellation = new CancellationTokenSource();
        var producer = new Producer();
        for (int run = 0; run < 2000; run++)
        {
            TokenChannel channel = Make(producer, cancellation.Token);
            using var started = new ManualResetEventSlim();
            producer.Started = started.Set;
            Task finishing = Task.Run(() =>
            {
                started.Wait();
                channel.Finish(null, null, StopReason.MaxTokens);
            });
            channel.TryRead(out _);
            finishing.Wait(s_patience).Should().BeTrue();
        }

        cancellation.Cancel();
        producer.Cancels.Should().Be(0);
    }

    [Test]
    public void First_end_counts()
    {
        TokenChannel channel = Make(new Producer());
        channel.TryRead(out _);
        channel.Finish(null, null, StopReason.MaxTokens);
        channel.Finish(new InferenceException("late"), null);
        channel.StopReason.Should().Be(StopReason.MaxTokens);
        channel.TryRead(out _).Should().BeFalse();
        channel.IsCompleted.Should().BeTrue();
    }

    [Test]
    public void Failure_is_thrown_as_it_was_given_each_time()
    {
        TokenChannel channel = Make(new Producer());
        channel.TryRead(out _);
        channel.Finish(new ObjectDisposedException(nameof(TokenStream), "It was closed."), null);
        for (int i = 0; i < 3; i++)
        {
            string message = channel.Invoking(it => it.TryRead(out _)).Should().Throw<ObjectDisposedException>().Which.Message;
            message.Split("Object name:").Should().HaveCount(2, "it is said once");
        }
    }

    [Test]
    public void Cancelled_channel_throws_with_the_token_and_without_another_exception_inside()
    {
        using var cancellation = new CancellationTokenSource();
        TokenChannel channel = Make(new Producer(), cancellation.Token);
        channel.TryRead(out _);
        cancellation.Cancel();
        channel.IsCancelled.Should().BeTrue();
        channel.Finish(channel.MakeCancelException(), null);
        OperationCanceledException thrown = channel.Invoking(it => it.TryRead(out _)).Should().Throw<OperationCanceledException>().Which;
        thrown.CancellationToken.Should().Be(cancellation.Token);
        thrown.InnerException.Should().BeNull();
    }

    [Test]
    public void Channel_that_is_closed_unread_has_ended_and_starts_nothing()
    {
        var producer = new Producer { Started = () => throw new QueueFullException("started") };
        TokenChannel channel = Make(producer);
        channel.Close();
        channel.Close();
        channel.Ended.IsCompleted.Should().BeTrue();
        channel.Invoking(it => it.TryRead(out _)).Should().Throw<ObjectDisposedException>();
    }

    [Test]
    public void Channel_whose_start_fails_has_ended_with_that()
    {
        var producer = new Producer { Started = () => throw new QueueFullException("full") };
        TokenChannel channel = Make(producer);
        channel.Invoking(it => it.TryRead(out _)).Should().Throw<QueueFullException>();
        channel.IsCompleted.Should().BeTrue();
        channel.Invoking(it => it.TryRead(out _)).Should().Throw<QueueFullException>();
    }

    [Test]
    public async Task First_token_is_handed_over_at_once_and_further_ones_of_a_fast_model_in_groups()
    {
        TokenChannel channel = Make(new Producer());
        int[] groups = await ReadInSteps(channel, milliseconds: 0.5, count: 100);
        groups[0].Should().Be(1, "the first token does not wait");
        groups.Sum().Should().BeGreaterThan(100 - 17);
        groups.Length.Should().BeInRange(6, 9, "the reader is woken once in 8 ms");
        groups.Should().OnlyContain(size => size <= 16, "no token waits longer than 8 ms");
    }

    [TestCase(4.1)]
    [TestCase(50)]
    public async Task Each_token_of_a_slower_model_is_handed_over_at_once(double milliseconds)
    {
        int[] groups = await ReadInSteps(Make(new Producer()), milliseconds, count: 50);
        groups.Should().HaveCount(50).And.OnlyContain(size => size == 1);
    }

    [Test]
    public async Task Tokens_that_were_held_back_are_handed_over_before_anything_else_and_at_the_end()
    {
        TokenChannel channel = Make(new Producer());
        await ReadInSteps(channel, milliseconds: 0.1, count: 1);
        ValueTask<bool> first = WriteWithoutWaking(channel, 1);
        channel.HandOver();
        (await first.AsTask().WaitAsync(s_patience)).Should().BeTrue();
        channel.TryRead(out GeneratedToken token).Should().BeTrue();
        token.Id.Should().Be(1);

        ValueTask<bool> last = WriteWithoutWaking(channel, 2);
        channel.Finish(null, null, StopReason.MaxTokens);
        (await last.AsTask().WaitAsync(s_patience)).Should().BeTrue();
        channel.TryRead(out token).Should().BeTrue();
        token.Id.Should().Be(2);
    }

    [Test]
    public async Task Reader_that_waits_while_the_queue_fills_up_is_woken()
    {
        TokenChannel channel = Make(new Producer());
        channel.TryRead(out _);
        ValueTask<bool> waiting = channel.WaitAsync();
        for (int i = 0; channel.HasRoom(); i++)
        {
            channel.Write(Token(i));
        }

        (await waiting.AsTask().WaitAsync(s_patience)).Should().BeTrue();
    }

    [Test]
    public async Task No_token_is_lost_between_a_waiting_reader_and_a_writer_that_hands_over_now_and_then()
    {
        const int Count = 100_000;
        var producer = new Producer();
        TokenChannel channel = Make(producer);
        channel.TryRead(out _);
        Task writing = Task.Run(() =>
        {
            var random = new Random(1);
            for (int i = 0; i < Count; i++)
            {
                while (!channel.HasRoom())
                {
                    producer.Woken.WaitOne(s_patience).Should().BeTrue("no wake-up is lost");
                }

                channel.Write(Token(i));
                if (random.Next(20) == 0)
                {
                    channel.HandOver();
                }
            }

            channel.Finish(null, null, StopReason.MaxTokens);
        });
        Task<int> reading = Task.Run(async () =>
        {
            int next = 0;
            while (!channel.IsCompleted)
            {
                if (channel.TryRead(out GeneratedToken token))
                {
                    token.Id.Should().Be(next++);
                }
                else if (!channel.IsCompleted)
                {
                    await channel.WaitAsync();
                }
            }

            return next;
        });
        (await reading.WaitAsync(s_patience)).Should().Be(Count);
        await writing;
    }

    // Simulates steps that end at regular times with a token each, and returns how many tokens the reader found each time that it was woken.
    private static async Task<int[]> ReadInSteps(TokenChannel channel, double milliseconds, int count)
    {
        List<int> groups = [];
        long step = (long)(milliseconds * Stopwatch.Frequency / 1000);
        channel.TryRead(out _);
        ValueTask<bool> waiting = channel.WaitAsync();
        for (int i = 0; i <= count; i++)
        {
            channel.Write(Token(0));
            if (i < count)
            {
                long now = Start + (i * step);
                channel.HandOver(now, now + step);
            }
            else
            {
                // Ends the last wait, which does not count.
                channel.HandOver();
            }

            if (!waiting.IsCompleted)
            {
                continue;
            }

            (await waiting).Should().BeTrue();
            int size = 0;
            for (; channel.TryRead(out _); size++)
            {
            }

            if (i < count)
            {
                groups.Add(size);
                waiting = channel.WaitAsync();
            }
        }

        return [.. groups];
    }

    private static ValueTask<bool> WriteWithoutWaking(TokenChannel channel, int id)
    {
        ValueTask<bool> waiting = channel.WaitAsync();
        channel.Write(Token(id));
        channel.HandOver(Start, Start);
        waiting.IsCompleted.Should().BeFalse("the next token follows soon");
        return waiting;
    }

    private static TokenChannel Make(Producer producer, CancellationToken cancellationToken = default)
    {
        var channel = new TokenChannel(timeLimit: null, cancellationToken);
        channel.Connect(producer);
        return channel;
    }

    private static GeneratedToken Token(int id) => new(id, default, float.NaN, null, null);

    private sealed class Producer : IUnstartedProducer
    {
        private int _rooms;
        private int _cancels;

        public AutoResetEvent Woken { get; } = new(false);

        public Action Started { get; set; } = () => { };

        public int Rooms => Volatile.Read(ref _rooms);

        public int Cancels => Volatile.Read(ref _cancels);

        public void Start() => Started();

        public void OnCancelled() => Interlocked.Increment(ref _cancels);

        public void OnRoom()
        {
            Interlocked.Increment(ref _rooms);
            Woken.Set();
        }
    }
}
