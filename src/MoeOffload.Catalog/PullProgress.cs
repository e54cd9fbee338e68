namespace MoeOffload.Catalog;

/// <summary>How far a <see cref="ModelPull"/> is.</summary>
/// <param name="Stage">What it is at.</param>
/// <param name="File">The file in the repository; empty before it is known.</param>
/// <param name="BytesDone">Bytes of all files that are here.</param>
/// <param name="BytesTotal">Bytes of all files; 0 before it is known.</param>
/// <param name="Message">Of <see cref="PullStage.Retrying"/>, what failed.</param>
public readonly record struct PullProgress(PullStage Stage, string File, long BytesDone, long BytesTotal, string? Message = null);
