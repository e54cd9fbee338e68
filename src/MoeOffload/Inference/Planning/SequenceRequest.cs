namespace MoeOffload.Inference.Planning;

/// <summary>Represents a request and its progress as the planner sees it.</summary>
/// <param name="prompt">The tokens of the prompt. There is at least one.</param>
/// <param name="limits">The limits of the request.</param>
/// <param name="output">The output of the request.</param>
/// <param name="pace">The draft pace, or null if no tokens are drafted.</param>
/// <param name="images">The images in the prompt, or null if there are none.</param>
internal sealed class SequenceRequest(
    int[] prompt, RequestLimits limits, IRequestOutput output, DraftPace? pace, IReadOnlyList<PlannedImage>? images = null)
{
    private SequenceSlot? _sequence;
    private volatile int _computedCount;

    /// <summary>Gets the prompt.</summary>
    public ReadOnlyMemory<int> Prompt => prompt;

    /// <summary>Gets the images in the prompt.</summary>
    public IReadOnlyList<PlannedImage> Images => images ?? [];

    /// <summary>Gets the priority. Greater values come first.</summary>
    public int Priority => limits.Priority;

    /// <summary>Gets the maximum number of tokens to generate.</summary>
    public int MaxTokens => limits.MaxTokens;

    /// <summary>Gets the output of the request.</summary>
    public IRequestOutput Output => output;

    /// <summary>Gets or sets the position of the request in the order of arrival.</summary>
    public long ArrivalNumber { get; set; }

    /// <summary>Gets or sets the timestamp by which the request must end.</summary>
    public long Deadline { get; set; } = long.MaxValue;

    /// <summary>Gets a value that indicates whether the request has been admitted and has a sequence slot.</summary>
    public bool HasSequence => _sequence is not null;

    /// <summary>Gets the sequence slot. It is not available before <see cref="Begin"/>.</summary>
    public SequenceSlot Sequence => _sequence!;

    /// <summary>Gets the number of prompt tokens that were cached.</summary>
    public int CachedCount { get; private set; }

    /// <summary>Gets the number of prompt tokens in the KV cache. The property can be read from any thread.</summary>
    public int ComputedPromptCount => Math.Min(_computedCount, prompt.Length);

    /// <summary>Gets the timestamp of the admission.</summary>
    public long AdmissionTimestamp { get; private set; }

    /// <summary>Gets the position of the request in the order of admission.</summary>
    public long AdmissionNumber { get; private set; }

    /// <summary>Gets the number of tokens that are known but not in the KV cache: one while decoding, more during prefill.</summary>
    public int PendingCount => Sequence.Tokens.Count - Sequence.Count;

    /// <summary>Gets the draft tokens that follow the pending token in the step that is being planned.</summary>
    public List<int> Draft { get; } = [];

    /// <summary>Gets or sets the number of tokens to draft in the step that is being planned.</summary>
    public int DraftLimit { get; set; }

    /// <summary>Gets or sets the index of the request's logits in the drafter's batch, or -1.</summary>
    public int DraftLogits { get; set; } = -1;

    /// <summary>Gets the number of draft tokens.</summary>
    public int DraftedCount { get; private set; }

    /// <summary>Gets the number of accepted draft tokens.</summary>
    public int AcceptedCount { get; private set; }

    /// <summary>Gets the number of sampled tokens.</summary>
    public int GeneratedCount { get; private set; }

    /// <summary>Gets or sets the number of the request's tokens in the step that is being planned.</summary>
    public int BatchedCount { get; set; }

    /// <summary>Gets or sets the number of consecutive steps that computed other prompts but no part of this one.</summary>
    public int StepsPassedOver { get; set; }

    /// <summary>Gets or sets the index of the request's logits in the batch, or -1.</summary>
    public int LogitsIndex { get; set; } = -1;

    /// <summary>Gets the reason that the request ends, or null if it is not known yet. The last tokens might still wait for the reader.</summary>
    public StopReason? EndReason { get; private set; }

    /// <summary>Gets the exception that ends the request, or null. The last tokens might still wait for the reader.</summary>
    public Exception? EndFailure { get; private set; }

    /// <summary>Gets a value that indicates whether no more tokens are computed for the request.</summary>
    public bool HasEnded => EndReason is not null || EndFailure is not null;

    /// <summary>Returns the number of tokens at the beginning that a shift keeps.</summary>
    /// <param name="sequenceLength">The maximum number of tokens in a sequence.</param>
    public int CountKeptByShift(int sequenceLength) => limits.KeepTokens ?? Math.Min(prompt.Length, sequenceLength / 2);

    /// <summary>
    /// Returns the number of tokens to draft now. Each draft token needs a cell, might be the last token, and yields a token that needs
    /// room in the output.
    /// </summary>
    /// <param name="sequenceLength">The maximum number of tokens in a sequence.</param>
    public int CountDraftable(int sequenceLength) => pace is null ? 0 : Math.Min(
        Math.Min(pace.Length, sequenceLength - Sequence.Count - 2),
        Math.Min(output.Room - 1, limits.MaxTokens - GeneratedCount - 1));

    /// <summary>Admits the request and assigns a slot to it, which can already contain a part of its prompt.</summary>
    public void Begin(SequenceSlot sequence, long now, long number)
    {
        _sequence = sequence;
        CachedCount = sequence.Count;
        _computedCount = sequence.Count;
        AdmissionTimestamp = now;
        AdmissionNumber = number;
    }

    /// <summary>Gets the image whose embeddings are computed next, or null if a token is.</summary>
    public PlannedImage? PendingImage => Sequence.Images.Count == 0 ? null : PlannedImage.FindAt(Sequence.Images, Sequence.Count);

    /// <summary>Returns the number of tokens before the next image, or of all tokens that are known.</summary>
    public int CountBeforeImage()
    {
        int count = PendingCount;
        foreach (PlannedImage image in Sequence.Images)
        {
            count = image.Shape.Begin > Sequence.Count ? Math.Min(count, image.Shape.Begin - Sequence.Count) : count;
        }

        return count;
    }

    /// <summary>Requests the embeddings of the next image, so that they are computed while the tokens before it are.</summary>
    public void RequestImage()
    {
        foreach (PlannedImage image in Sequence.Images)
        {
            if (image.Shape.End > Sequence.Count)
            {
                image.Input?.Request();
                return;
            }
        }
    }

    /// <summary>Clears the state of the previous step.</summary>
    public void ClearStep()
    {
        BatchedCount = 0;
        LogitsIndex = -1;
        DraftLimit = 0;
        Draft.Clear();
    }

    /// <summary>Records the tokens that a step has computed, except the draft tokens.</summary>
    public void CompleteStep()
    {
        PlannedImage? image = PendingImage;
        Sequence.Count += BatchedCount - Draft.Count;
        _computedCount = Sequence.Count;
        if (image is not null && Sequence.Count >= image.Shape.End)
        {
            image.Input?.Release();
        }
    }

    /// <summary>Accepts the next token.</summary>
    /// <param name="token">The sampled token.</param>
    /// <param name="isEnd"><see langword="true"/> if the token ends the text.</param>
    /// <param name="sequenceLength">The maximum number of tokens in a sequence.</param>
    /// <returns><see langword="true"/> if the sequence is full and must be shifted before the request continues.</returns>
    public bool Accept(int token, bool isEnd, int sequenceLength)
    {
        Sequence.Tokens.Add(token);
        GeneratedCount++;
        EndReason = isEnd ? StopReason.EndOfSequence
            : GeneratedCount >= limits.MaxTokens ? StopReason.MaxTokens
            : null;

        // If the context is shifted, one cell stays unused, as in llama.cpp's tools.
        bool isShifting = limits.WhenFull == ContextFullAction.Shift;
        if (EndReason is not null || Sequence.Count < sequenceLength - (isShifting ? 1 : 0))
        {
            return false;
        }

        switch (limits.WhenFull)
        {
            case ContextFullAction.Error:
                EndFailure = new ContextFullException(
                    $"The generation fills its share of the context, {sequenceLength} tokens. Increase ContextOptions.ContextLength, or "
                    + "set GenerationRequest.ContextFull to Stop or Shift.");
                break;
            case ContextFullAction.Stop:
                EndReason = StopReason.ContextFull;
                break;
        }

        return isShifting;
    }

    /// <summary>Determines whether a sampled token equals a draft token, whose logits the step has also computed, and accepts it if so.</summary>
    /// <param name="index">The index of the draft token.</param>
    /// <param name="token">The sampled token.</param>
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

    /// <summary>Completes the draft of a step.</summary>
    /// <param name="accepted">The number of accepted draft tokens.</param>
    public void CompleteDraft(int accepted)
    {
        DraftedCount += Draft.Count;
        pace?.Update(Draft.Count, accepted);
    }

    /// <summary>Ends the request with an exception.</summary>
    public void Fail(Exception failure) => EndFailure = failure;

    /// <summary>Ends the request, unless it already has a reason.</summary>
    public void End(StopReason reason) => EndReason ??= reason;

    /// <summary>Ends the request at a stop string, which takes precedence over everything that follows it.</summary>
    public void EndAtStopString()
    {
        EndFailure = null;
        EndReason = StopReason.StopString;
    }

    /// <summary>Ends the request because the running sequences together fill the KV cache.</summary>
    public void Preempt()
    {
        if (limits.WhenFull == ContextFullAction.Error)
        {
            EndFailure = new ContextFullException(
                "The running generations fill the context. Increase ContextOptions.ContextLength, or decrease SequenceCount.");
        }
        else
        {
            End(StopReason.ContextFull);
        }
    }
}
