namespace MoeOffload.Diagnostics;

/// <summary>Represents a trace of experts that was completed.</summary>
/// <param name="Path">The path of the file.</param>
/// <param name="StepCount">The number of steps.</param>
/// <param name="TokenCount">The number of tokens in all steps.</param>
/// <param name="Bytes">The size of the file, in bytes.</param>
public sealed record ExpertTraceSummary(string Path, long StepCount, long TokenCount, long Bytes);
