namespace MoeOffload.Inference.Running;

/// <summary>What a <see cref="ContextRunner"/> does with its context. Members are called by the runner's thread unless they say otherwise.</summary>
internal interface IContextWork
{
    /// <summary>Gets whether anybody wants what is computed now; from any thread, while it is computed.</summary>
    bool IsWanted { get; }

    /// <summary>Does what there is to do now.</summary>
    /// <returns>How long to wait for a wake-up before the next step; zero to go on at once.</returns>
    TimeSpan Step();

    /// <summary>Fails what runs, and forgets what the context held: it was lost, and another one takes its place.</summary>
    void OnContextLost(InferenceException failure);

    /// <summary>Takes no work any more; from any thread.</summary>
    void Refuse(Exception reason);

    /// <summary>Fails all that runs and waits.</summary>
    void FailAll(Exception failure);

    /// <summary>
    /// Fails all that runs and waits, from another thread: the runner's hangs in a native call, and may come back. Nothing that belongs to
    /// it may be changed, and nothing that the call can touch given back.
    /// </summary>
    void Abandon(Exception failure);

    /// <summary>Fails all that runs and waits as disposed, and gives back what the context was used with.</summary>
    void Close();
}
