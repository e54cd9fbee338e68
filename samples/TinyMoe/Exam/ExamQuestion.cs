using TinyMoe.Corpus;

namespace TinyMoe.Exam;

/// <summary>A prompt, and the one answer that is right; none for a story, of which there are many.</summary>
internal sealed record ExamQuestion(TextKind Kind, string Prompt, string? Answer);
