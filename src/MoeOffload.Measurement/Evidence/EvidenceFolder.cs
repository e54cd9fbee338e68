using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Evidence;

/// <summary>The raw evidence of a folder: what was measured, from which everything else follows.</summary>
/// <param name="Files">The files.</param>
/// <param name="Machine">On what it was measured: <c>machine.json</c>.</param>
/// <param name="Models">The models.</param>
internal sealed record EvidenceFolder(EvidenceFiles Files, JsonObject Machine, IReadOnlyList<ModelEvidence> Models)
{
    /// <summary>Reads the raw evidence of a folder.</summary>
    /// <param name="files">The files.</param>
    /// <param name="protocols">The models, and what was measured of each how often.</param>
    /// <exception cref="FormatException">A file is broken, or missing; the message says which.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static EvidenceFolder Read(EvidenceFiles files, IReadOnlyList<(string Name, JsonObject Protocol)> protocols) => new(
        files,
        files.ReadObject(EvidenceFiles.Machine),
        [.. protocols.Select(model => new ModelEvidence(files, model.Name, model.Protocol))]);
}
