using System.Globalization;
using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Inference;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>The threads that compute have the priority and the processors that were asked for, and no other thread does.</summary>
[TestFixture, NonParallelizable, Platform("Linux")]
public sealed class ThreadPlacementTests
{
    private const int Count = 2;

    [Test]
    public async Task Session_below_normal_has_only_threads_with_an_increased_nice_value()
    {
        int own = Nice("/proc/thread-self/stat");
        HashSet<string> before = Tasks();
        await using GenerationSession session = Make(ComputePriority.BelowNormal);
        await SmallModel.Read(session.GenerateAsync("T", maxTokens: 1));

        // The session's thread computes too.
        Lowered(before, Math.Min(own + 10, 19)).Should().Be(Count);
        Nice("/proc/thread-self/stat").Should().Be(own);
    }

    [Test]
    public async Task Session_with_normal_priority_lowers_nothing()
    {
        int own = Nice("/proc/thread-self/stat");
        HashSet<string> before = Tasks();
        await using GenerationSession session = Make(ComputePriority.Normal);
        await SmallModel.Read(session.GenerateAsync("T", maxTokens: 1));

        Lowered(before, Math.Min(own + 10, 19)).Should().Be(0);
    }

    [Test]
    public void Threads_run_on_the_processors_that_were_given()
    {
        string own = Allowed("/proc/thread-self");
        HashSet<string> before = Tasks();
        int first = int.Parse(own.Split('-', ',')[0], CultureInfo.InvariantCulture);
        ContextSettings settings = new ContextParameters(
            SmallModel.Context() with { Threads = new ThreadOptions { Decode = Count } }, expertsOffloaded: false).ToSettings();
        using NativeContext context = NativeContext.Create(
            SmallModel.Shared.Native.Handle, settings with { Placement = new ThreadPlacement(IsBelowNormal: false, [first]) }, NullLogger.Instance);

        Tasks().Except(before).Count(task => Allowed(task) == $"{first}").Should().BeGreaterThanOrEqualTo(own == $"{first}" ? 0 : Count - 1);
        Allowed("/proc/thread-self").Should().Be(own);
    }

    private static GenerationSession Make(ComputePriority priority) => SmallModel.Shared.CreateSession(new ContextOptions
    {
        ContextLength = 512,
        Threads = { Decode = Count, Prompt = Count, Priority = priority },
    });

    private static HashSet<string> Tasks() => [.. Directory.EnumerateDirectories("/proc/self/task")];

    private static int Lowered(HashSet<string> before, int nice) =>
        Tasks().Except(before).Select(task => Path.Combine(task, "stat")).Count(stat => File.Exists(stat) && Nice(stat) == nice);

    // Field 19, counted after the name in parentheses, which can contain spaces (proc_pid_stat(5)).
    private static int Nice(string path)
    {
        string text = File.ReadAllText(path);
        return int.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture);
    }

    private static string Allowed(string task) =>
        File.ReadLines(Path.Combine(task, "status")).First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split('\t')[1];
}
