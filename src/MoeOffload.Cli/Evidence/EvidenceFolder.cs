using System.Text.Json.Nodes;

namespace MoeOffload.Cli.Evidence;

/// <summary>The raw evidence of a folder: what was measured, from which everything else follows.</summary>
/// <param name="Files">The files.</param>
/// <param name="Machine">On what it was measured: <c>machine.json</c>.</param>
/// <param name="Models">The models.</param>
internal sealed record EvidenceFolder(EvidenceFiles Files, JsonObject Machine, IReadOnlyList<ModelEvidence> Models)
{
    /// <summary>Reads a folder.</summary>
    /// <exception cref="FormatException">A file is broken, or missing; the message says which.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static EvidenceFolder Open(string directory)
    {
        EvidenceFiles files = EvidenceFiles.Open(directory);
        return Read(files, EvidenceManifest.Read(files));
    }

    /// <summary>Reads the raw evidence that a manifest is about.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    public static EvidenceFolder Read(EvidenceFiles files, EvidenceManifest manifest) => new(
        files,
        files.ReadObject(EvidenceFiles.Machine),
        [.. manifest.Protocols.Select(model => new ModelEvidence(files, model.Name, model.Protocol))]);
}
