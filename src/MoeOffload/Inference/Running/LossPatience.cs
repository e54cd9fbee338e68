namespace MoeOffload.Inference.Running;

/// <summary>How long a step may go on after something that it needs may be lost, before its thread is abandoned.</summary>
internal sealed record LossPatience
{
    /// <summary>Gets the times that are used.</summary>
    public static LossPatience Default { get; } = new();

    /// <summary>Gets the time if an RPC server is known to be lost: the step may end by itself.</summary>
    public TimeSpan ServerLost { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time if a thread of the step itself is known to have ended.</summary>
    public TimeSpan ThreadLost { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the time if the step of another session may have been hit instead, or a server may only be slow.</summary>
    public TimeSpan Unknown { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets how many times as long as any before a step may take, if that is longer.</summary>
    public double StepFactor { get; init; } = 4;
}
