using TinyMoe.Corpus;

namespace TinyMoe.Exam;

/// <summary>Represents a prompt and its only correct answer, or no answer for a story, of which many are correct.</summary>
internal sealed record ExamQuestion(TextKind Kind, string Prompt, string? Answer);
