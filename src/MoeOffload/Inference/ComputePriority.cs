namespace MoeOffload;

/// <summary>Specifies the priority of the threads that compute.</summary>
/// <remarks>
/// There is no priority above normal: threads of a computation wait for each other actively, so with a higher priority they would take the
/// cores from the application and from the operating system.
/// </remarks>
public enum ComputePriority
{
    /// <summary>The threads have the priority of the process.</summary>
    Normal,

    /// <summary>
    /// The threads have a lower priority, so that the application and other programs get a core first. On Linux, the nice value is increased
    /// by 10; on Windows, the threads are below normal. Neither requires a privilege. On other systems, this value has no effect.
    /// </summary>
    BelowNormal,
}
