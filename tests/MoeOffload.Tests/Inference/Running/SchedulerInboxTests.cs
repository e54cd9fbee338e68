using FluentAssertions;
using MoeOffload.Inference.Planning;
using MoeOffload.Inference.Running;
using MoeOffload.Tests.Inference.Planning;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>Checks which requests are passed to the scheduler's thread, how many, and until when.</summary>
[TestFixture]
public sealed class SchedulerInboxTests
{
    private readonly SchedulerInbox<Open> _inbox = new(sequenceCount: 1, queueLimit: 1);
    private readonly List<Open> _arrived = [];

    [Test]
    public void Requests_beyond_the_limit_are_refused_until_one_ends_or_is_cancelled()
    {
        SchedulerInbox<Open> inbox = new(sequenceCount: 1, queueLimit: 1);
        Open[] requests = [.. Enumerable.Range(0, 4).Select(_ => new Open())];
        Add(inbox, requests[0]);
        Add(inbox, requests[1]);
        inbox.Invoking(it => Add(it, requests[2])).Should().Throw<QueueFullException>();
        inbox.Remove(requests[0]);
        Add(inbox, requests[2]);
        requests[1].Output.IsCancelled = true;
        Add(inbox, requests[3]);
        inbox.CopyOpen().Should().HaveCount(3).And.Contain(requests[1..]);
    }

    [Test]
    public void Requests_arrive_once_and_are_counted_until_they_end()
    {
        SchedulerInbox<Open> inbox = new(sequenceCount: 2, queueLimit: 2);
        Open[] requests = [new(), new()];
        Array.ForEach(requests, request => Add(inbox, request));
        List<Open> arrived = [];
        inbox.TakeArrived(arrived).Should().BeFalse("there are no commands");
        arrived.Should().Equal(requests);
        inbox.TakeArrived(arrived);
        arrived.Should().HaveCount(2);

        requests[0].Request.Begin(new SequenceSlot(0), 0, 1);
        inbox.OnAdmitted();
        Counts(inbox).Should().Be((1, 1));
        inbox.Remove(requests[0]);
        inbox.Remove(requests[0]);
        Counts(inbox).Should().Be((0, 1));
        inbox.Remove(requests[1]);
        Counts(inbox).Should().Be((0, 0));
    }

    [Test]
    public void Steps_wait_only_for_short_requests_that_are_being_prepared_and_still_wanted()
    {
        SchedulerInbox<Open> inbox = new(sequenceCount: 2, queueLimit: 2);
        inbox.IsPreparing.Should().BeFalse();
        var reservation = new Reservation();
        inbox.Reserve(reservation);
        inbox.IsPreparing.Should().BeTrue();
        reservation.IsCancelled = true;
        inbox.IsPreparing.Should().BeFalse();
        inbox.Reserve(new Reservation { IsLong = true });
        inbox.IsPreparing.Should().BeFalse();
        reservation = new Reservation();
        inbox.Reserve(reservation);
        inbox.TryAdd(reservation, new Open()).Should().BeTrue();
        inbox.IsPreparing.Should().BeFalse();
    }

    [Test]
    public void Closed_inbox_takes_nothing_for_the_first_reason_that_was_given()
    {
        SchedulerInbox<Open> inbox = new(sequenceCount: 1, queueLimit: 1);
        inbox.Close(new InferenceException("lost"));
        inbox.Close(new ObjectDisposedException("it"));
        inbox.Invoking(it => Add(it, new Open())).Should().Throw<InferenceException>().WithMessage("lost");
        inbox.Invoking(it => it.Add(new SchedulerCommand(_ => { }))).Should().Throw<InferenceException>().WithMessage("lost");
        SchedulerInbox<Open> disposed = new(sequenceCount: 1, queueLimit: 1);
        disposed.Close(new ObjectDisposedException("it"));
        disposed.Invoking(it => Add(it, new Open())).Should().Throw<ObjectDisposedException>();
    }

    [Test]
    public async Task Command_that_runs_is_among_those_that_fail()
    {
        SchedulerCommand[] commands = [new(_ => { }), new(_ => { }), new(_ => { })];
        Array.ForEach(commands, _inbox.Add);
        _inbox.TakeArrived(_arrived).Should().BeTrue();
        _inbox.TryTakeCommand(out SchedulerCommand? first).Should().BeTrue();
        first!.Run(null!);
        _inbox.TryTakeCommand(out SchedulerCommand? second).Should().BeTrue();
        _inbox.TakeCommands().Should().HaveCount(2).And.Contain(commands[1..]);
        second!.Fail(new InferenceException("lost"));
        await commands[0].Done;
        await FluentActions.Awaiting(() => commands[1].Done).Should().ThrowAsync<InferenceException>();
    }

    private static void Add(SchedulerInbox<Open> inbox, Open request)
    {
        var reserved = new Reservation();
        inbox.Reserve(reserved);
        inbox.TryAdd(reserved, request).Should().BeTrue();
    }

    private static (int Running, int Queued) Counts(SchedulerInbox<Open> inbox)
    {
        SessionStatistics statistics = inbox.Read(new SessionCounters());
        return (statistics.RunningCount, statistics.QueuedCount);
    }

    private sealed class Reservation : IUnpreparedRequest
    {
        public bool IsCancelled { get; set; }

        public bool IsLong { get; init; }

        public long Deadline => long.MaxValue;

        public long ArrivalNumber { get; set; }

        public void End() => throw new InvalidOperationException("It does not end before it is prepared.");

        public void Fail(Exception failure) => throw failure;
    }

    private sealed class Open : IOpenRequest
    {
        public Open() => Request = new SequenceRequest([1], new RequestLimits(), Output, pace: null);

        public TestOutput Output { get; } = new();

        public SequenceRequest Request { get; }
    }
}
