using System.Runtime.InteropServices;

namespace MoeOffload.Inference.Planning;

/// <summary>
/// Fills the batch of a step. The next token of each decoding generation comes first, then prompts by priority and, within a priority,
/// those with the fewest tokens left. While other generations wait, the number of prompt tokens is limited, which limits the delay. When
/// half of that limit is used, no further prompt is started, because each first token arrives sooner if it does not wait for other prompts.
/// </summary>
/// <param name="shape">The shape of the KV cache.</param>
/// <param name="promptLimit">The maximum number of prompt tokens in a step while another generation waits.</param>
/// <param name="drafts">The limits of the lookup, or null if there is no lookup.</param>
internal sealed class BatchPacker(CacheShape shape, int promptLimit, DraftLimits? drafts)
{
    // A prompt that was passed over in this many steps comes first, so that no prompt starves.
    private const int MaxStepsPassedOver = 4;

    private readonly List<SequenceRequest> _decoding = [];
    private readonly List<SequenceRequest> _prompts = [];
    private SequenceRequest? _image;
    private bool _isAfterImage;

    /// <summary>Gets a value that indicates whether the last selection ended a request because an image of it cannot be encoded.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Selects the generations whose next token can be computed now, and sets how many tokens each can draft.</summary>
    /// <param name="running">The admitted requests, in the order of their arrival.</param>
    /// <returns>
    /// The decoding requests. A drafter can add to their drafts before <see cref="Pack"/>. The list is empty if the step computes an image, which
    /// is at most every second step while others have tokens to compute.
    /// </returns>
    public IReadOnlyList<SequenceRequest> SelectDecoding(List<SequenceRequest> running)
    {
        _prompts.Clear();
        _decoding.Clear();
        _image = null;
        HasFailed = false;
        int draftRoom = shape.BatchSize - running.Count;
        foreach (SequenceRequest request in running)
        {
            request.ClearStep();
            if (request.HasEnded)
            {
                continue;
            }

            request.RequestImage();
            if (request.PendingImage is { } image)
            {
                SelectImage(request, image);
            }
            else if (request.PendingCount > 1)
            {
                Insert(_prompts, request, IsBehind);
            }
            else if (request.Output.HasRoom())
            {
                request.DraftLimit = Math.Max(0, Math.Min(draftRoom, request.CountDraftable(shape.SequenceLength)));
                draftRoom -= request.DraftLimit;
                _decoding.Add(request);
            }
        }

        if (_isAfterImage && _decoding.Count + _prompts.Count > 0)
        {
            _image = null;
        }

        _isAfterImage = _image is not null;
        return _image is null ? _decoding : [];
    }

    /// <summary>Packs the selected generations, and prompts.</summary>
    /// <param name="running">The requests that were passed to <see cref="SelectDecoding"/>.</param>
    /// <param name="plan">The plan to fill, which must be empty.</param>
    /// <param name="promptRoom">The maximum number of prompt tokens in the step.</param>
    public void Pack(List<SequenceRequest> running, StepPlan plan, int promptRoom)
    {
        if (_image is not null)
        {
            PackImage(_image, plan, _decoding.Count + _prompts.Count > 0 ? Math.Min(promptRoom, promptLimit) : promptRoom);
            return;
        }

        int room = Math.Min(shape.BatchSize - PackDecoding(), promptRoom);
        PackPrompts(_decoding.Count + _prompts.Count > 1 ? Math.Min(room, promptLimit) : room);
        foreach (SequenceRequest request in running)
        {
            if (request.BatchedCount > 0)
            {
                // If each sequence has its own cache, llama.cpp computes sequences together only if their numbers are consecutive.
                Insert(plan.Requests, request, static (other, it) => other.Sequence.Id > it.Sequence.Id);
            }
        }

        foreach (SequenceRequest request in plan.Requests)
        {
            AddEntries(request, plan.Entries);
        }
    }

    private void SelectImage(SequenceRequest request, PlannedImage image)
    {
        if (image.Input!.Failure is { } failure)
        {
            request.Fail(failure);
            HasFailed = true;
            return;
        }

        // The last embedding of a prompt generates a token, for which the output must have room.
        bool hasRoom = image.Shape.End < request.Sequence.Tokens.Count || request.Output.HasRoom();
        if (image.Input.IsReady && hasRoom && (_image is null || request.Priority > _image.Priority))
        {
            _image = request;
        }
    }

    private void PackImage(SequenceRequest request, StepPlan plan, int room)
    {
        SequenceSlot sequence = request.Sequence;
        PlannedImage image = request.PendingImage!;
        int left = image.Shape.End - sequence.Count;
        int count = image.IsCausal ? Math.Min(left, Math.Min(room, shape.BatchSize)) : left;
        if (count <= 0)
        {
            return;
        }

        request.BatchedCount = count;
        request.LogitsIndex = count == request.PendingCount ? count - 1 : -1;
        plan.Requests.Add(request);
        plan.Image = new ImageStep(request, image, sequence.Count - image.Shape.Begin, count, sequence.PositionOf(image.Shape.Begin));
    }

    // Inserts a request before the last ones that must come after it.
    private static void Insert(List<SequenceRequest> list, SequenceRequest request, Func<SequenceRequest, SequenceRequest, bool> isAfter)
    {
        int at = list.Count;
        while (at > 0 && isAfter(list[at - 1], request))
        {
            at--;
        }

        list.Insert(at, request);
    }

    private static bool IsBehind(SequenceRequest one, SequenceRequest other) =>
        one.Priority != other.Priority ? one.Priority < other.Priority : Rest(one) > Rest(other);

    private static int Rest(SequenceRequest request) => request.StepsPassedOver < MaxStepsPassedOver ? request.PendingCount : 0;

    private static void AddEntries(SequenceRequest request, List<BatchEntry> entries)
    {
        SequenceSlot sequence = request.Sequence;
        int known = request.BatchedCount - request.Draft.Count;
        bool isLast = known == request.PendingCount;
        request.LogitsIndex = isLast ? entries.Count + known - 1 : -1;
        int position = sequence.PositionOf(sequence.Count);
        for (int i = 0; i < request.BatchedCount; i++)
        {
            int token = i < known ? sequence.Tokens[sequence.Count + i] : request.Draft[i - known];
            entries.Add(new BatchEntry(token, position + i, sequence.Id, WantsLogits: isLast && i >= known - 1));
        }
    }

    private int PackDecoding()
    {
        int packed = 0;
        foreach (SequenceRequest request in _decoding)
        {
            if (drafts is not null)
            {
                request.Draft.AddRange(PromptLookup.Find(CollectionsMarshal.AsSpan(request.Sequence.Tokens), drafts, request.DraftLimit));
            }

            request.BatchedCount = 1 + request.Draft.Count;
            packed += request.BatchedCount;
        }

        return packed;
    }

    private void PackPrompts(int room)
    {
        int enough = (room + 1) / 2;
        foreach (SequenceRequest request in _prompts)
        {
            int given = 0;
            if (enough > 0)
            {
                // The last token of a prompt generates a token, for which the output must have room.
                int most = Math.Min(request.PendingCount - (request.Output.HasRoom() ? 0 : 1), request.CountBeforeImage());
                given = Math.Min(most, room);
                request.BatchedCount = given;
            }

            enough -= given;
            room -= given;
            request.StepsPassedOver = given > 0 ? 0 : request.StepsPassedOver + 1;
        }
    }
}
