namespace MoeOffload.Catalog;

/// <summary>Represents the progress of a <see cref="ModelPull"/>.</summary>
/// <param name="Stage">The current stage.</param>
/// <param name="File">The path of the file in the repository, or an empty string if it is not known yet.</param>
/// <param name="BytesDone">The number of bytes that are present, of all files.</param>
/// <param name="BytesTotal">The total size of all files in bytes, or 0 if it is not known yet.</param>
/// <param name="Message">The error message if the stage is <see cref="PullStage.Retrying"/>; otherwise, <see langword="null"/>.</param>
public readonly record struct PullProgress(PullStage Stage, string File, long BytesDone, long BytesTotal, string? Message = null);
