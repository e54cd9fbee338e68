using MoeOffload.Diagnostics;
using TinyMoe.Corpus;

namespace TinyMoe.Exam;

/// <summary>Represents the number of correct answers. For stories, the sentences are counted.</summary>
internal sealed record ExamResult(TextKind Kind)
{
    public required int Right { get; init; }

    public required int Count { get; init; }

    /// <summary>Gets a line for each wrong answer.</summary>
    public required IReadOnlyList<string> Mistakes { get; init; }

    /// <summary>Gets the choices of experts during the exam, or <see langword="null"/> if the session does not count them.</summary>
    public required ExpertActivity? Activity { get; init; }

    public double Share => (double)Right / Count;
}
