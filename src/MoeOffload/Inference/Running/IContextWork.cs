namespace MoeOffload.Inference.Running;

/// <summary>
/// Represents the work that a <see cref="ContextRunner"/> performs with its context. Members are called on the runner's thread unless
/// stated otherwise.
/// </summary>
internal interface IContextWork
{
    /// <summary>
    /// Gets a value that indicates whether the results of the current computation are still needed. It can be read from any thread during
    /// the computation.
    /// </summary>
    bool IsWanted { get; }

    /// <summary>Performs the work that can be done now.</summary>
    /// <returns>The time to wait for a wake-up before the next step, or <see cref="TimeSpan.Zero"/> to continue immediately.</returns>
    TimeSpan Step();

    /// <summary>Fails the running work because the context was lost. Another, empty context replaces it.</summary>
    void OnContextLost(InferenceException failure);

    /// <summary>Stops accepting work. The method can be called from any thread.</summary>
    void Refuse(Exception reason);

    /// <summary>Fails all running and waiting work.</summary>
    void FailAll(Exception failure);

    /// <summary>
    /// Fails all running and waiting work on another thread, because the runner's thread hangs in a native call that might return later.
    /// The method must not change state that belongs to the thread, or release memory that the call can access.
    /// </summary>
    void Abandon(Exception failure);

    /// <summary>Fails all running and waiting work as disposed, and releases the resources that belong to the context.</summary>
    void Close();
}
