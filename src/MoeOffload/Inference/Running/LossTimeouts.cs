namespace MoeOffload.Inference.Running;

/// <summary>Specifies how long a step can continue after something that it needs might be lost, before its thread is abandoned.</summary>
internal sealed record LossTimeouts
{
    /// <summary>Gets the default times.</summary>
    public static LossTimeouts Default { get; } = new();

    /// <summary>Gets the time to wait if an RPC server is known to be lost, because the step might end by itself.</summary>
    public TimeSpan ServerLost { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the time to wait if a thread of the step itself is known to have ended.</summary>
    public TimeSpan ThreadLost { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the time to wait if the loss might affect the step of another session, or if a server might only be slow.</summary>
    public TimeSpan Unknown { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Gets the factor by which a step can exceed the longest previous step, if that is longer than the other times.</summary>
    public double StepFactor { get; init; } = 4;
}
