namespace MoeOffload.Inference.Planning;

/// <summary>Specifies how the computation of a step ended.</summary>
internal enum StepResult
{
    /// <summary>The step was computed completely.</summary>
    Computed,

    /// <summary>The KV cache has no room for the step. The cache is unchanged.</summary>
    NoRoom,

    /// <summary>The step was stopped. The parts that were completed stay in the KV cache.</summary>
    Stopped,
}
