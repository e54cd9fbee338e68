using System.Text.Json.Nodes;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Reporting;
using MoeOffload.Shared;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Writes the generated files of a folder: the manifest, the report, the plots and, last, the hashes.</summary>
internal static class EvidenceWriter
{
    /// <summary>Writes the generated files.</summary>
    /// <param name="directory">The folder with the raw files.</param>
    /// <param name="protocols">The models, each with its protocol, which lists the measurements and their repeats.</param>
    /// <exception cref="FormatException">The raw files are not valid.</exception>
    public static void Finish(string directory, IReadOnlyList<(string Name, JsonObject Protocol)> protocols)
    {
        EvidenceFolder folder = EvidenceFolder.Read(EvidenceFiles.Open(directory), protocols);
        var figures = FigureSet.Of(folder);

        // Delete plots of an earlier run that are no longer generated.
        if (Directory.Exists(Path.Combine(directory, EvidenceFiles.Plots)))
        {
            Directory.Delete(Path.Combine(directory, EvidenceFiles.Plots), recursive: true);
        }

        WriteText(directory, EvidenceFiles.Manifest, EvidenceManifest.Of(folder, figures).ToJson());
        foreach ((string name, string text) in Report.Of(folder, figures).Files())
        {
            WriteText(directory, name, text);
        }

        WriteText(directory, EvidenceFiles.Hashes, HashFile.Write(EvidenceFiles.Open(directory)));
    }

    /// <summary>Writes a file and creates its directories.</summary>
    public static void WriteText(string directory, string name, string text)
    {
        string path = Path.Combine(directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.WriteAllText(path, text);
    }
}
