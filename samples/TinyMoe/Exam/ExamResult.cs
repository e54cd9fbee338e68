using TinyMoe.Corpus;

namespace TinyMoe.Exam;

/// <summary>How many of what was asked are right; of stories, their sentences are counted.</summary>
/// <param name="Mistakes">A line for each that is wrong.</param>
internal sealed record ExamResult(TextKind Kind, int Right, int Count, IReadOnlyList<string> Mistakes)
{
    public double Share => (double)Right / Count;
}
