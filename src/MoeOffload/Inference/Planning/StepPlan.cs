namespace MoeOffload.Inference.Planning;

/// <summary>Represents what one step computes. The planner reuses the same instance for each step.</summary>
internal sealed class StepPlan
{
    /// <summary>Gets the requests that have tokens in the batch, in the order of their sequences.</summary>
    public List<SequenceRequest> Requests { get; } = [];

    /// <summary>Gets the tokens of the batch.</summary>
    public List<BatchEntry> Entries { get; } = [];

    /// <summary>Gets or sets the image that the step computes instead of tokens, or null.</summary>
    public ImageStep? Image { get; set; }

    /// <summary>Gets the number of tokens and embeddings in the batch.</summary>
    public int Count => Image?.Count ?? Entries.Count;

    /// <summary>Gets a value that indicates whether there is nothing to compute.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Gets a value that indicates whether the results of any request in the plan are still needed.</summary>
    public bool IsWanted
    {
        get
        {
            foreach (SequenceRequest request in Requests)
            {
                if (!request.Output.IsCancelled)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Clears the plan.</summary>
    public void Clear()
    {
        Requests.Clear();
        Entries.Clear();
        Image = null;
    }
}
