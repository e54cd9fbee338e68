namespace MoeOffload.Inference.Planning;

/// <summary>What one step computes. The planner uses the same one for each step.</summary>
internal sealed class StepPlan
{
    /// <summary>Gets the requests that the batch holds something of, in the order of their sequences.</summary>
    public List<SequenceRequest> Requests { get; } = [];

    /// <summary>Gets the tokens.</summary>
    public List<BatchEntry> Entries { get; } = [];

    /// <summary>Gets whether there is nothing to compute.</summary>
    public bool IsEmpty => Entries.Count == 0;

    /// <summary>Gets whether any request of it is still wanted.</summary>
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

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        Requests.Clear();
        Entries.Clear();
    }
}
