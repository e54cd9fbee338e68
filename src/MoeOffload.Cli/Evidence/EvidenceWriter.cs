using System.Text;
using System.Text.Json.Nodes;
using MoeOffload.Cli.Evidence.Figures;
using MoeOffload.Cli.Evidence.Reporting;
using MoeOffload.Cli.Evidence.Verification;

namespace MoeOffload.Cli.Evidence;

/// <summary>Makes of a folder's raw files all that follows from them: the manifest, the report, its plots, and last the hashes.</summary>
internal static class EvidenceWriter
{
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Makes them.</summary>
    /// <param name="directory">The folder, with all its raw files.</param>
    /// <param name="protocols">The models, and what was measured of each how often.</param>
    /// <exception cref="FormatException">The raw files are broken.</exception>
    public static void Finish(string directory, IReadOnlyList<(string Name, JsonObject Protocol)> protocols)
    {
        var manifest = new EvidenceManifest(protocols, [], []);
        EvidenceFolder folder = EvidenceFolder.Read(EvidenceFiles.Open(directory), manifest);
        var figures = FigureSet.Of(folder);
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
        File.WriteAllText(path, text, s_utf8);
    }
}
