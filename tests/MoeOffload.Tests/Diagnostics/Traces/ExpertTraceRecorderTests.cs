using FluentAssertions;
using MoeOffload.Diagnostics;
using MoeOffload.Diagnostics.Traces;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Diagnostics.Traces;

/// <summary>A recording costs the session's thread neither memory nor time for a disk, and leaves a whole file or none.</summary>
[TestFixture]
public sealed class ExpertTraceRecorderTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly ExpertTraceModel s_model = ExpertTraces.Model(experts: 64, used: 8);
    private static readonly int[] s_row = [0, 1, 2, 3, 4, 5, 6, 7];

    [Test]
    public void Steps_allocate_nothing()
    {
        using var directory = new TemporaryDirectory();
        ExpertTraceRecorder recorder = ExpertTraceRecorder.Create(directory["a.moetrace"], s_model);
        Record(recorder, 100);
        long before = GC.GetAllocatedBytesForCurrentThread();

        // More than all buffers hold.
        Record(recorder, 400_000);

        // One object for each step would be at least 9.6 MB. What is left below it is made once, where threads wait for each other.
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(100_000);
        recorder.Complete();
        recorder.Done.Wait(s_limit).Should().BeTrue();
        ExpertTrace.Load(directory["a.moetrace"]).TokenCount.Should().Be(400_100);
    }

    [Test]
    public async Task File_gets_its_name_only_when_it_is_complete()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.Write("a.moetrace", "the old one");
        ExpertTraceRecorder recorder = ExpertTraceRecorder.Create(path, s_model);
        Record(recorder, 100_000);
        File.ReadAllText(path).Should().Be("the old one");

        recorder.Complete();
        recorder.Complete();
        ExpertTraceSummary summary = await recorder.Done.WaitAsync(s_limit);

        Record(recorder, 10);
        summary.Should().Be(new ExpertTraceSummary(path, 100_000, 100_000, new FileInfo(path).Length));
        ExpertTrace.Load(path).TokenCount.Should().Be(100_000);
        Directory.GetFiles(directory.Path).Should().Equal(path);
    }

    [Test]
    public async Task Canceled_recording_leaves_nothing()
    {
        using var directory = new TemporaryDirectory();
        ExpertTraceRecorder recorder = ExpertTraceRecorder.Create(directory["a.moetrace"], s_model);
        Record(recorder, 100_000);

        recorder.Cancel();

        await FluentActions.Awaiting(() => recorder.Done).Should().ThrowAsync<OperationCanceledException>();
        SpinWait.SpinUntil(() => Directory.GetFiles(directory.Path).Length == 0, s_limit).Should().BeTrue();
    }

    [Test]
    public async Task Disk_that_fails_ends_the_recording_with_the_reason([Values(0, 300_000)] int room)
    {
        bool isDiscarded = false;
        bool isCommitted = false;
        using var disk = new SmallDisk(room);
        var recorder = new ExpertTraceRecorder("/disk/a.moetrace", s_model, disk, () => isCommitted = true, () => Volatile.Write(ref isDiscarded, true));

        Record(recorder, 1_000_000);
        recorder.Complete();

        (await FluentActions.Awaiting(() => recorder.Done.WaitAsync(s_limit)).Should().ThrowAsync<IOException>())
            .WithMessage("*'/disk/a.moetrace' could not be written, and was deleted: the disk is full");
        SpinWait.SpinUntil(() => Volatile.Read(ref isDiscarded), s_limit).Should().BeTrue();
        isCommitted.Should().BeFalse();
    }

    [Test]
    public async Task Disk_that_takes_nothing_ends_the_recording_and_not_the_session()
    {
        using var released = new ManualResetEventSlim();
        using var disk = new SmallDisk(int.MaxValue, released);
        var recorder = new ExpertTraceRecorder("a.moetrace", s_model, disk, static () => { }, static () => { }, TimeSpan.FromMilliseconds(100));

        Record(recorder, 1_000_000);

        (await FluentActions.Awaiting(() => recorder.Done.WaitAsync(s_limit)).Should().ThrowAsync<IOException>()).WithMessage("*took nothing for 0.1 s");
        released.Set();
    }

    [Test]
    public void Directory_that_does_not_exist_is_reported_at_once()
    {
        using var directory = new TemporaryDirectory();

        FluentActions.Invoking(() => ExpertTraceRecorder.Create(directory["none", "a.moetrace"], s_model))
            .Should().Throw<DirectoryNotFoundException>().WithMessage("*its directory does not exist*");
    }

    private static void Record(ExpertTraceRecorder recorder, int count)
    {
        for (int i = 0; i < count; i++)
        {
            recorder.OnChoices(0, 1, 8, 8, s_row);
            recorder.OnStep(1, 1, isComplete: true);
        }
    }

    // Takes so many bytes, and each write only after an event, if there is one.
    private sealed class SmallDisk(int room, ManualResetEventSlim? released = null) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            released?.Wait();
            if (Length + count > room)
            {
                throw new IOException("the disk is full");
            }

            base.Write(buffer, offset, count);
        }
    }
}
