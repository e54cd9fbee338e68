using System.Diagnostics;
using System.Globalization;
using FluentAssertions;
using MoeOffload.Embeddings;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A session with a budget computes in a part of the time, and reacts at once all the same.</summary>
[TestFixture, NonParallelizable]
public sealed class ComputeBudgetTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    // After the first step, a session with this budget pauses for at least a minute.
    private static readonly ComputeBudget s_tiny = new(TimeSpan.FromMilliseconds(0.001), TimeSpan.FromMinutes(1));

    [TestCase(0)]
    [TestCase(-0.1)]
    [TestCase(1.01)]
    [TestCase(double.NaN)]
    [TestCase(1e-12)]
    public void Share_out_of_range_is_refused(double share) =>
        FluentActions.Invoking(() => ComputeBudget.FromShare(share)).Should().Throw<ArgumentOutOfRangeException>().Which.ParamName.Should().Be("share");

    [TestCase(1, 0.5, "period")]
    [TestCase(1, 60_001, "period")]
    [TestCase(0, 20, "time")]
    [TestCase(-1, 20, "time")]
    [TestCase(21, 20, "time")]
    public void Time_or_period_out_of_range_is_refused(double time, double period, string name) =>
        FluentActions.Invoking(() => new ComputeBudget(TimeSpan.FromMilliseconds(time), TimeSpan.FromMilliseconds(period)))
            .Should().Throw<ArgumentOutOfRangeException>().Which.ParamName.Should().Be(name);

    [Test, Platform("Linux")]
    public async Task Threads_of_a_session_use_their_part_of_the_time()
    {
        const double Share = 0.2;
        HashSet<string> before = [.. Directory.EnumerateDirectories("/proc/self/task")];
        await using GenerationSession session = SmallModel.Shared.CreateSession(new ContextOptions
        {
            ContextLength = 8192,
            Threads = { Decode = 2, Prompt = 2, Priority = ComputePriority.BelowNormal, Budget = ComputeBudget.FromShare(Share) },
        });
        using TokenStream stream = session.GenerateAsync("To be", new SamplingOptions { IgnoreEndOfSequence = true }, 8000);
        await stream.StartAsync().WaitAsync(s_patience);

        Dictionary<string, double> first = ReadSeconds(before);
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(3))
        {
            stream.TryRead(out _);
            await Task.Delay(1);
        }

        Dictionary<string, double> last = ReadSeconds(before);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        // Processor times are counted in ticks of 10 ms.
        first.Should().HaveCount(2);
        foreach ((string task, double used) in last)
        {
            (used - first[task]).Should().BeLessThan((1.25 * Share * seconds) + 0.05);
        }
    }

    [Test]
    public async Task Pause_does_not_delay_cancellation()
    {
        await using GenerationSession session = MakeSession(s_tiny);
        using var cancellation = new CancellationTokenSource();
        TokenStream stream = await StartAsync(session, cancellation.Token);
        Task<List<GeneratedToken>> reading = SmallModel.Read(stream);

        await cancellation.CancelAsync();

        await reading.Invoking(task => task.WaitAsync(s_patience)).Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public async Task Pause_does_not_delay_the_end_of_the_session()
    {
        GenerationSession session = MakeSession(s_tiny);
        TokenStream stream = await StartAsync(session);
        Task<List<GeneratedToken>> reading = SmallModel.Read(stream);

        await session.DisposeAsync().AsTask().WaitAsync(s_patience);

        await reading.Invoking(task => task.WaitAsync(s_patience)).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Test]
    public async Task Pause_does_not_delay_errors_and_deadlines_of_other_requests()
    {
        await using GenerationSession session = MakeSession(s_tiny, queueLimit: 1);
        using TokenStream running = await StartAsync(session);
        using TokenStream waiting = session.GenerateAsync(new GenerationRequest { Prompt = "To", Deadline = TimeSpan.FromSeconds(0.5) });
        using TokenStream refused = session.GenerateAsync("To");

        Task<List<GeneratedToken>> ending = SmallModel.Read(waiting);
        await refused.Invoking(stream => stream.StartAsync().WaitAsync(s_patience)).Should().ThrowAsync<QueueFullException>();
        (await ending.WaitAsync(s_patience)).Should().BeEmpty();
        waiting.StopReason.Should().Be(StopReason.Deadline);
    }

    [Test]
    public async Task Prompt_that_takes_longer_than_the_budget_is_completed()
    {
        string prompt = string.Concat(Enumerable.Repeat("To be, or not to be, that is the question. ", 4));
        await using GenerationSession session = MakeSession(new ComputeBudget(TimeSpan.FromMilliseconds(0.5), TimeSpan.FromMilliseconds(1)));

        (await SmallModel.Greedy(session, prompt, 4).WaitAsync(s_patience)).Should().HaveCount(4);
    }

    [Test]
    public async Task Embedder_keeps_its_budget_and_completes()
    {
        await using Embedder embedder = SmallModel.Shared.CreateEmbedder(new EmbeddingOptions
        {
            ContextLength = 512,
            BatchSize = 64,
            Pooling = EmbeddingPooling.Mean,
            Threads = { Prompt = 1, Budget = ComputeBudget.FromShare(0.5) },
        });

        (await embedder.EmbedAsync([.. Enumerable.Repeat(new int[60], 20)])).Should().HaveCount(20);
    }

    private static GenerationSession MakeSession(ComputeBudget? budget, int queueLimit = 256) => SmallModel.Shared.CreateSession(new ContextOptions
    {
        ContextLength = 512,
        QueueLimit = queueLimit,
        Threads = { Decode = 1, Budget = budget },
    });

    private static async Task<TokenStream> StartAsync(GenerationSession session, CancellationToken cancellationToken = default)
    {
        TokenStream stream = session.GenerateAsync("To be", new SamplingOptions { IgnoreEndOfSequence = true }, 400, cancellationToken);
        await stream.StartAsync(CancellationToken.None).WaitAsync(s_patience, CancellationToken.None);
        return stream;
    }

    // The threads of the session are the new ones whose priority is lower.
    private static Dictionary<string, double> ReadSeconds(HashSet<string> before)
    {
        int own = int.Parse(Fields("/proc/self/stat")[16], CultureInfo.InvariantCulture);
        return Directory.EnumerateDirectories("/proc/self/task").Except(before)
            .Select(task => (Task: task, Fields: Fields(Path.Combine(task, "stat"))))
            .Where(task => int.Parse(task.Fields[16], CultureInfo.InvariantCulture) > own)
            .ToDictionary(task => task.Task, task => (Parse(task.Fields[11]) + Parse(task.Fields[12])) / 100);
    }

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    // The fields after the name in parentheses, which can contain spaces (proc_pid_stat(5)).
    private static string[] Fields(string path)
    {
        string text = File.ReadAllText(path);
        return text[(text.LastIndexOf(')') + 2)..].Split(' ');
    }
}
