namespace MoeOffload.Inference.Planning;

/// <summary>How the computation of a step ended.</summary>
internal enum StepResult
{
    /// <summary>All of it was computed.</summary>
    Computed,

    /// <summary>The KV cache has no room for it; it is as it was before.</summary>
    NoRoom,

    /// <summary>It was stopped; parts that were finished stay in the KV cache.</summary>
    Stopped,
}
