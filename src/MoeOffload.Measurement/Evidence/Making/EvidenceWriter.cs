using System.Text.Json.Nodes;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Reporting;
using MoeOffload.Shared;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Makes of a folder's raw files all that follows from them: the manifest, the report, its plots, and last the hashes.</summary>
internal static class EvidenceWriter
{
    /// <summary>Makes them.</summary>
    /// <param name="directory">The folder, with all its raw files.</param>
    /// <param name="protocols">The models, and what was measured of each how often.</param>
    /// <exception cref="FormatException">The raw files are broken.</exception>
    public static void Finish(string directory, IReadOnlyList<(string Name, JsonObject Protocol)> protocols)
    {
        EvidenceFolder folder = EvidenceFolder.Read(EvidenceFiles.Open(directory), protocols);
        var figures = FigureSet.Of(folder);

        // Of what was made before, plots that there are no more would stay.
        if (Directory.Exists(Path.Combine(directory, EvidenceFiles.Plots)))
        {
            Directory.Delete(Path.Combine(directory, EvidenceFiles.Plots), recursive: true);
        }

        WriteText(directory, EvidenceFiles.Manifest, EvidenceManifest.Of(folder, figures).ToJson());
        foreach ((string name, string text) in Report.Of(folder, figures).Files())
        {
            WriteText(directory, name, text);
        }

        WriteText(directory, EvidenceFiles.Sums, Sums.Write(EvidenceFiles.Open(directory)));
    }

    /// <summary>Writes a file of a folder, and the folders above it.</summary>
    public static void WriteText(string directory, string name, string text)
    {
        string path = Path.Combine(directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllText(path, text);
    }
}
