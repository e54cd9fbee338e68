using System.Diagnostics;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Experts;

/// <summary>Files and disks that fail while experts are read from them.</summary>
[TestFixture]
[NonParallelizable]
public sealed class ExpertStorageFailureTests
{
    private string _path = null!;

    [SetUp]
    public void CopyModel()
    {
        _path = Path.Combine(Path.GetTempPath(), $"moe experts {Guid.NewGuid():N}.gguf");
        File.Copy(TinyModels.Qwen3Moe().Path, _path);
    }

    [TearDown]
    public void DeleteModel() => File.Delete(_path);

    [Test]
    public async Task A_read_error_ends_the_request_and_the_session_goes_on()
    {
        using MoeModel model = Load();
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        BrokenDisk.Break(model);

        (await Awaiting(session).Should().ThrowAsync<InferenceException>()).WithMessage("*the disk is gone*");

        BrokenDisk.Repair(model);
        (await SmallModel.Greedy(session, "To be", 8)).Should().HaveCount(8);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows does not let anybody change the file.")]
    public async Task A_truncated_file_is_an_error()
    {
        using MoeModel model = Load();
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        using (var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.SetLength(file.Length / 3);
        }

        (await Awaiting(session).Should().ThrowAsync<InferenceException>()).WithMessage($"*{Path.GetFileName(_path)}*after it was loaded*oad it again*");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows does not let anybody change the file.")]
    public async Task A_file_that_was_written_again_is_an_error()
    {
        using MoeModel model = Load();
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        byte[] content = File.ReadAllBytes(_path);
        using (var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Write(content);
        }

        (await Awaiting(session).Should().ThrowAsync<InferenceException>()).WithMessage("*was changed after it was loaded*");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Windows does not let anybody delete the file.")]
    public async Task A_file_that_was_replaced_or_deleted_is_still_read()
    {
        using MoeModel model = Load();
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        int[] expected = await SmallModel.Greedy(session, "To be", 8);
        File.Delete(_path);
        File.WriteAllText(_path, "another file");
        using GenerationSession other = model.CreateSession(SmallModel.Context());

        (await SmallModel.Greedy(other, "To be", 8)).Should().Equal(expected);
    }

    [Test]
    public async Task Cancelling_does_not_wait_for_the_disk()
    {
        using MoeModel model = Load();
        await using GenerationSession session = model.CreateSession(SmallModel.Context());
        using var disk = BrokenDisk.Block(model);
        using var cancellation = new CancellationTokenSource();
        Task reading = SmallModel.Read(session.GenerateAsync("To be", SamplingOptions.Greedy, 8, cancellation.Token));
        disk.Entered.Wait(TimeSpan.FromSeconds(30)).Should().BeTrue();

        await cancellation.CancelAsync();

        await FluentActions.Awaiting(() => reading.WaitAsync(TimeSpan.FromSeconds(30))).Should().ThrowAsync<OperationCanceledException>();
        disk.Dispose();
        (await SmallModel.Greedy(session, "To be", 8)).Should().HaveCount(8);
    }

    [Test]
    public async Task Disposing_does_not_wait_for_the_disk()
    {
        MoeModel model = Load();
        GenerationSession session = model.CreateSession(SmallModel.Context());
        using var disk = BrokenDisk.Block(model);
        Task reading = SmallModel.Read(session.GenerateAsync("To be", SamplingOptions.Greedy, 8));
        disk.Entered.Wait(TimeSpan.FromSeconds(30)).Should().BeTrue();

        await session.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

        await FluentActions.Awaiting(() => reading).Should().ThrowAsync<ObjectDisposedException>();
        disk.Dispose();
        await model.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Test]
    [Platform("Linux")]
    public async Task Nothing_is_left_behind()
    {
        await Round();
        await Round();
        long before = Address();
        int threads = Threads();
        int files = Files();
        for (int i = 0; i < 10; i++)
        {
            await Round();
        }

        (Address() - before).Should().BeLessThan(5 * new FileInfo(_path).Length, "10 rounds that each leak the addresses of the experts take 10 times the file");
        Threads().Should().BeLessThan(threads + 10);
        Files().Should().BeLessThan(files + 10);

        async Task Round()
        {
            using MoeModel model = Load();
            await using GenerationSession session = model.CreateSession(SmallModel.Context(64));
            await SmallModel.Greedy(session, "To be", 2);
        }

        static long Address() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[0]) * Environment.SystemPageSize;

        static int Threads() => Process.GetCurrentProcess().Threads.Count;

        int Files() => Directory.GetFiles("/proc/self/fd").Count(link => File.ResolveLinkTarget(link, false)?.FullName == _path);
    }

    private MoeModel Load() => MoeModel.Load(_path, ExpertRuns.InFile(_path, 10));

    private static Func<Task> Awaiting(GenerationSession session) => () => SmallModel.Greedy(session, "To be", 8);
}
