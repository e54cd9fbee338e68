using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>
/// Represents the manifest, which lists what was measured, the raw files, and for each figure how and from which lines it was computed.
/// </summary>
/// <param name="Protocols">The models, each with its protocol, which lists the measurements and their repeats.</param>
/// <param name="Files">The raw files and their sizes.</param>
/// <param name="Figures">The figures.</param>
internal sealed record EvidenceManifest(
    IReadOnlyList<(string Name, JsonObject Protocol)> Protocols, IReadOnlyList<(string Path, long Bytes)> Files, IReadOnlyList<Figure> Figures)
{
    private const int Format = 1;
    private static readonly JsonSerializerOptions s_line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Returns whether a file is generated from the raw files.</summary>
    public static bool IsGenerated(string name) => name is EvidenceFiles.Hashes or EvidenceFiles.Manifest or EvidenceFiles.MarkdownReport or EvidenceFiles.HtmlReport
        || name.StartsWith(EvidenceFiles.Plots + "/", StringComparison.Ordinal);

    /// <summary>Creates the manifest of raw evidence.</summary>
    public static EvidenceManifest Of(EvidenceFolder folder, FigureSet figures) => new(
        [.. folder.Models.Select(model => (model.Name, model.Protocol))],
        [.. folder.Files.Names.Where(name => !IsGenerated(name)).Select(name => (name, folder.Files.LengthOf(name)))],
        figures.Figures);

    /// <summary>Reads the raw evidence of a folder that has a manifest.</summary>
    /// <exception cref="FormatException">A file is missing or not valid. The message names it.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static EvidenceFolder OpenFolder(string directory)
    {
        EvidenceFiles files = EvidenceFiles.Open(directory);
        return EvidenceFolder.Read(files, Read(files).Protocols);
    }

    /// <summary>Reads the manifest of a folder.</summary>
    /// <exception cref="FormatException">The manifest is missing or not valid.</exception>
    public static EvidenceManifest Read(EvidenceFiles files)
    {
        JsonObject json = files.ReadObject(EvidenceFiles.Manifest);
        if (json.Whole("format") != Format)
        {
            throw new FormatException($"{EvidenceFiles.Manifest}: the format is {json["format"]?.ToJsonString() ?? "missing"}, but this version of moe reads format {Format} only.");
        }

        string[] models = [.. json.Objects("models").Select(model => model.Text("name"))];
        if (models.FirstOrDefault(name => !IsModelName(name)) is { } wrong)
        {
            throw new FormatException($"{EvidenceFiles.Manifest}: '{wrong}' is not a valid name of a model's folder.");
        }

        return models.Distinct(StringComparer.Ordinal).Count() < models.Length
            ? throw new FormatException($"{EvidenceFiles.Manifest}: a model occurs twice.")
            : new EvidenceManifest(
                [.. json.Objects("models").Select(model => (model.Text("name"), model.Object("protocol")))],
                [.. json.Objects("files").Select(file => (file.Text("path"), file.Whole("bytes")))],
                [.. json.Objects("figures").Select(Figure.Read)]);
    }

    /// <summary>Converts the manifest to JSON, with one line for each model, file and figure.</summary>
    public string ToJson()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{{\n\"format\": {Format},\n");
        Append(text, "models", Protocols.Select(model => new JsonObject { ["name"] = model.Name, ["protocol"] = model.Protocol.DeepClone() }));
        text.Append(",\n");
        Append(text, "files", Files.Select(file => new JsonObject { ["path"] = file.Path, ["bytes"] = file.Bytes }));
        text.Append(",\n");
        Append(text, "figures", Figures.Select(figure => figure.ToJson()));
        return text.Append("\n}\n").ToString();
    }

    /// <summary>Returns whether a name is valid for a model's folder on every operating system.</summary>
    public static bool IsModelName(string name) =>
        name.Length is > 0 and <= 100 && name[0] != '.' && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_' or '+');

    private static void Append(StringBuilder text, string name, IEnumerable<JsonObject> items) =>
        text.Append('"').Append(name).Append("\": [\n").AppendJoin(",\n", items.Select(item => item.ToJsonString(s_line))).Append("\n]");
}
