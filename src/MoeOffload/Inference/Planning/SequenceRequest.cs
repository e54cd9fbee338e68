namespace MoeOffload.Inference.Planning;

/// <summary>One request as the planner sees it: what is known of it, and how far it has come.</summary>
/// <param name="prompt">Its tokens; at least one.</param>
/// <param name="limits">What it may take.</param>
/// <param name="output">Where its tokens go.</param>
/// <param name="pace">How far ahead its tokens are drafted; null if they are not.</param>
internal sealed class SequenceRequest(int[] prompt, RequestLimits limits, IRequestOutput output, DraftPace? pace)
{
    private SequenceSlot? _sequence;
    private volatile int _computedCount;

    /// <summary>Gets the prompt.</summary>
    public ReadOnlyMemory<int> Prompt => prompt;

    /// <summary>Gets how urgent it is; larger numbers come first.</summary>
    public int Priority => limits.Priority;

    /// <summary>Gets the most tokens to generate.</summary>
    public int MaxTokens => limits.MaxTokens;

    /// <summary>Gets where its tokens go.</summary>
    public IRequestOutput Output => output;

    /// <summary>Gets or sets its number in the order of arrival.</summary>
    public long ArrivalNumber { get; set; }

    /// <summary>Gets or sets when it must have ended, as a timestamp.</summary>
    public long Deadline { get; set; } = long.MaxValue;

    /// <summary>Gets whether it has been admitted, and has a sequence.</summary>
    public bool HasSequence => _sequence is not null;

    /// <summary>Gets its sequence; there is none before <see cref="Begin"/>.</summary>
    public SequenceSlot Sequence => _sequence!;

    /// <summary>Gets the tokens of the prompt that the prefix cache held.</summary>
    public int CachedCount { get; private set; }

    /// <summary>Gets the tokens of the prompt that are in the KV cache; from any thread.</summary>
    public int ComputedPromptCount => Math.Min(_computedCount, prompt.Length);

    /// <summary>Gets when it was admitted.</summary>
    public long AdmissionTimestamp { get; private set; }

    /// <summary>Gets its number in the order of admission.</summary>
    public long AdmissionNumber { get; private set; }

    /// <summary>Gets the tokens that are known and not in the KV cache: one while it decodes, more while its prompt is computed.</summary>
    public int PendingCount => Sequence.Tokens.Count - Sequence.Count;

    /// <summary>Gets the drafted tokens after the pending one, which the step that is being planned computes as well.</summary>
    public List<int> Draft { get; } = [];

    /// <summary>Gets or sets how many tokens are to be drafted in the step that is being planned.</summary>
    public int DraftLimit { get; set; }

    /// <summary>Gets or sets where in a drafter's batch its logits are, or -1.</summary>
    public int DraftLogits { get; set; } = -1;

    /// <summary>Gets how many tokens were drafted.</summary>
    public int DraftedCount { get; private set; }

    /// <summary>Gets how many drafted tokens were accepted.</summary>
    public int AcceptedCount { get; private set; }

    /// <summary>Gets how many tokens were sampled.</summary>
    public int GeneratedCount { get; private set; }

    /// <summary>Gets or sets how many tokens the step that is being planned holds of this request.</summary>
    public int BatchedCount { get; set; }

    /// <summary>Gets or sets how many steps in a row have computed nothing of the prompt, but of others'.</summary>
    public int StepsPassedOver { get; set; }

    /// <summary>Gets or sets where in the batch its logits are, or -1.</summary>
    public int LogitsIndex { get; set; } = -1;

    /// <summary>Gets why it ends, once that is known. Its last tokens may still wait for the reader then.</summary>
    public StopReason? EndReason { get; private set; }

    /// <summary>Gets the error that it ends with, once that is known; as <see cref="EndReason"/>.</summary>
    public Exception? EndFailure { get; private set; }

    /// <summary>Gets whether nothing is to be computed for it any more.</summary>
    public bool HasEnded => EndReason is not null || EndFailure is not null;

    /// <summary>Gets how many of its first tokens a shift keeps.</summary>
    /// <param name="sequenceLength">The tokens that a sequence can hold.</param>
    public int CountKeptByShift(int sequenceLength) => limits.ShiftKeep ?? Math.Min(prompt.Length, sequenceLength / 2);

    /// <summary>Gets how many tokens should be drafted now: each needs a cell, may be the last one, and yields one that must have room.</summary>
    /// <param name="sequenceLength">The tokens that a sequence can hold.</param>
    public int CountDraftable(int sequenceLength) => pace is null ? 0 : Math.Min(
        Math.Min(pace.Length, sequenceLength - Sequence.Count - 2),
        Math.Min(output.Room - 1, limits.MaxTokens - GeneratedCount - 1));

    /// <summary>Admits it: gives it a sequence, in which some of the prompt may be cached already.</summary>
    public void Begin(SequenceSlot sequence, long now, long number)
    {
        _sequence = sequence;
        CachedCount = sequence.Count;
        _computedCount = sequence.Count;
        AdmissionTimestamp = now;
        AdmissionNumber = number;
    }

    /// <summary>Forgets what the last step held of it.</summary>
    public void ClearStep()
    {
        BatchedCount = 0;
        LogitsIndex = -1;
        DraftLimit = 0;
        Draft.Clear();
    }

    /// <summary>Takes what a step has computed, the drafted tokens aside.</summary>
    public void CompleteStep()
    {
        Sequence.Count += BatchedCount - Draft.Count;
        _computedCount = Sequence.Count;
    }

    /// <summary>Takes the next token.</summary>
    /// <param name="token">The token that was sampled.</param>
    /// <param name="isEnd">Whether it ends the text.</param>
    /// <param name="sequenceLength">The tokens that a sequence can hold.</param>
    /// <returns>Whether the sequence is full and must be shifted before it goes on.</returns>
    public bool Accept(int token, bool isEnd, int sequenceLength)
    {
        Sequence.Tokens.Add(token);
        GeneratedCount++;
        EndReason = isEnd ? StopReason.EndOfSequence
            : GeneratedCount >= limits.MaxTokens ? StopReason.MaxTokens
            : null;

        // A shift leaves one cell unused, as llama.cpp's tools do.
        bool isShifting = limits.WhenFull == ContextFullAction.Shift;
        if (EndReason is not null || Sequence.Count < sequenceLength - (isShifting ? 1 : 0))
        {
            return false;
        }

        switch (limits.WhenFull)
        {
            case ContextFullAction.Error:
                EndFailure = new ContextFullException(
                    $"The generation fills its part of the context, {sequenceLength} tokens: set ContextOptions.ContextLength higher, or "
                    + "GenerationRequest.ContextFull to Stop or Shift.");
                break;
            case ContextFullAction.Stop:
                EndReason = StopReason.ContextFull;
                break;
        }

        return isShifting;
    }

    /// <summary>Determines whether a sampled token is the drafted one, whose logits the step has computed as well, and takes that if so.</summary>
    /// <param name="index">Which of the drafted tokens.</param>
    /// <param name="token">The token that was sampled.</param>
    public bool TryAcceptDraft(int index, int token)
    {
        if (HasEnded || index >= Draft.Count || token != Draft[index])
        {
            return false;
        }

        Sequence.Count++;
        AcceptedCount++;
        return true;
    }

    /// <summary>Takes how many of the drafted tokens were accepted.</summary>
    public void CompleteDraft(int accepted)
    {
        DraftedCount += Draft.Count;
        pace?.Update(Draft.Count, accepted);
    }

    /// <summary>Ends it, unless it has a reason already.</summary>
    public void End(StopReason reason) => EndReason ??= reason;

    /// <summary>Ends it at a stop string, which counts before anything that comes after it.</summary>
    public void EndAtStopString()
    {
        EndFailure = null;
        EndReason = StopReason.StopString;
    }

    /// <summary>Ends it because all sequences together leave it no room.</summary>
    public void Preempt()
    {
        if (limits.WhenFull == ContextFullAction.Error)
        {
            EndFailure = new ContextFullException(
                "The generations that run at once fill the context: set ContextOptions.ContextLength higher, or SequenceCount lower.");
        }
        else
        {
            End(StopReason.ContextFull);
        }
    }
}
