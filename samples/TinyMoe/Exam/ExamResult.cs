using MoeOffload.Diagnostics;
using TinyMoe.Corpus;

namespace TinyMoe.Exam;

/// <summary>How many of what was asked are right; of stories, their sentences are counted.</summary>
internal sealed record ExamResult(TextKind Kind)
{
    public required int Right { get; init; }

    public required int Count { get; init; }

    /// <summary>A line for each that is wrong.</summary>
    public required IReadOnlyList<string> Mistakes { get; init; }

    /// <summary>The experts that were chosen meanwhile; null where the session does not count them.</summary>
    public required ExpertActivity? Activity { get; init; }

    public double Share => (double)Right / Count;
}
