namespace MoeOffload.Catalog;

/// <summary>What a <see cref="ModelPull"/> is at.</summary>
public enum PullStage
{
    /// <summary>It asks the hub what there is.</summary>
    Resolving,

    /// <summary>Another process pulls the same file; it waits for that.</summary>
    Waiting,

    /// <summary>It reads what an earlier pull left, to go on from there.</summary>
    Resuming,

    /// <summary>Bytes arrive.</summary>
    Downloading,

    /// <summary>A request failed; it is tried again.</summary>
    Retrying,

    /// <summary>All files are there and were checked.</summary>
    Done,
}
