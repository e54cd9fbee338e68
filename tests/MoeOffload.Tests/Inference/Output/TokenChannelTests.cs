using FluentAssertions;
using MoeOffload.Inference.Output;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Output;

/// <summary>Checks what is passed between a reader and a writer: tokens, wake-ups, the end and its reason.</summary>
[TestFixture]
public sealed class TokenChannelTests
{
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
