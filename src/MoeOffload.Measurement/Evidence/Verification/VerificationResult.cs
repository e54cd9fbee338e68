namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>Represents the result of verifying a folder.</summary>
/// <param name="Problems">The problems; empty if the evidence is valid.</param>
/// <param name="Folder">The evidence; null if it could not be read.</param>
/// <param name="FigureCount">The number of figures in the manifest.</param>
internal sealed record VerificationResult(IReadOnlyList<Problem> Problems, EvidenceFolder? Folder, int FigureCount);
