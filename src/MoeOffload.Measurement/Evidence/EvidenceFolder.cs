using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Evidence;

/// <summary>Represents the raw evidence of a folder, from which everything else is computed.</summary>
/// <param name="Files">The files.</param>
/// <param name="Machine">The description of the machine, from <c>machine.json</c>.</param>
/// <param name="Models">The models.</param>
internal sealed record EvidenceFolder(EvidenceFiles Files, JsonObject Machine, IReadOnlyList<ModelEvidence> Models)
{
    /// <summary>Reads the raw evidence of a folder.</summary>
    /// <param name="files">The files.</param>
    /// <param name="protocols">The models, each with its protocol, which lists the measurements and their repeats.</param>
    /// <exception cref="FormatException">A file is missing or not valid. The message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static EvidenceFolder Read(EvidenceFiles files, IReadOnlyList<(string Name, JsonObject Protocol)> protocols) => new(
        files,
        files.ReadObject(EvidenceFiles.Machine),
        [.. protocols.Select(model => new ModelEvidence(files, model.Name, model.Protocol))]);
}
