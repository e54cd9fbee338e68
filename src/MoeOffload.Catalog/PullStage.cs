namespace MoeOffload.Catalog;

/// <summary>Specifies the stage of a <see cref="ModelPull"/>.</summary>
public enum PullStage
{
    /// <summary>The files of the repository are being listed.</summary>
    Resolving,

    /// <summary>Another process downloads the same file, and the download waits for it.</summary>
    Waiting,

    /// <summary>The part that an earlier download left is being read, so that the download can be resumed.</summary>
    Resuming,

    /// <summary>The file is being downloaded.</summary>
    Downloading,

    /// <summary>A request failed and is about to be repeated.</summary>
    Retrying,

    /// <summary>All files are present and verified.</summary>
    Done,
}
