namespace MoeOffload.Diagnostics;

/// <summary>Represents one step of a session in a trace: a batch of tokens of one or several sequences that llama.cpp computed with one call.</summary>
public sealed class ExpertTraceStep
{
    internal ExpertTraceStep(int tokens, int outputs, bool isComplete, IReadOnlyList<ExpertChoices> choices)
    {
        TokenCount = tokens;
        OutputCount = outputs;
        IsComplete = isComplete;
        Choices = choices;
    }

    /// <summary>Gets the number of tokens in the batch.</summary>
    public int TokenCount { get; }

    /// <summary>
    /// Gets the number of tokens whose logits were computed: those that were generated before, draft tokens that were verified, and the last token of each
    /// prompt.
    /// </summary>
    public int OutputCount { get; }

    /// <summary>Gets a value that indicates whether the whole batch was computed. It was not if the step was canceled or failed, or the recording ended in it.</summary>
    public bool IsComplete { get; }

    /// <summary>Gets a value that indicates whether the step only decoded: it contains no part of a prompt, except for a last token.</summary>
    public bool IsDecode => TokenCount > 0 && OutputCount == TokenCount;

    /// <summary>Gets the choices in the order in which they were made: layer after layer, and micro-batch after micro-batch.</summary>
    public IReadOnlyList<ExpertChoices> Choices { get; }
}
