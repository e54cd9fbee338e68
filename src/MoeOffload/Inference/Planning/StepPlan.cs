namespace MoeOffload.Inference.Planning;

/// <summary>Represents what one step computes. The planner reuses the same instance for each step.</summary>
internal sealed class StepPlan
{
    /// <summary>Gets the requests that have tokens in the batch, in the order of their sequences.</summary>
    public List<SequenceRequest> Requests { get; } = [];

    /// <summary>Gets the tokens of the batch.</summary>
    public List<BatchEntry> Entries { get; } = [];

    /// <summary>Gets a value that indicates whether there is nothing to compute.</summary>
    public bool IsEmpty => Entries.Count == 0;

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
    }
}
