namespace MoeOffload.Measurement.Evidence.Verification;

/// <summary>What the check of a folder found.</summary>
/// <param name="Problems">What is wrong; none where the evidence holds.</param>
/// <param name="Folder">The evidence; null where it could not be read.</param>
/// <param name="FigureCount">How many figures the manifest has.</param>
internal sealed record VerificationResult(IReadOnlyList<Problem> Problems, EvidenceFolder? Folder, int FigureCount);
