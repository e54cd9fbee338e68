using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Evidence;

/// <summary>
/// Represents the files of an evidence folder, which can come from an untrusted source: only files in the folder are read, links are not
/// followed, and file sizes are limited.
/// </summary>
internal sealed class EvidenceFiles
{
    /// <summary>The name of the file with the hashes of all other files.</summary>
    public const string Hashes = "SHA256SUMS";

    public const string Manifest = "manifest.json";

    public const string Machine = "machine.json";

    public const string Commands = "commands.txt";

    public const string MarkdownReport = "report.md";

    public const string HtmlReport = "report.html";

    public const string Plots = "plots";

    public const string Models = "models";

    private const long LargestFile = 256L << 20;
    private const int MostFiles = 10_000;
    private const int DeepestFolder = 4;
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly SortedDictionary<string, FileInfo> _files = new(StringComparer.Ordinal);

    private EvidenceFiles(string directory) => Directory = directory;

    public string Directory { get; }

    /// <summary>Gets the paths of the files relative to the folder, with <c>/</c> as the separator, in ordinal order.</summary>
    public IReadOnlyCollection<string> Names => _files.Keys;

    /// <summary>Lists the files of a folder.</summary>
    /// <exception cref="FormatException">The folder contains links, too many files, or files that are too large.</exception>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static EvidenceFiles Open(string directory)
    {
        if (!System.IO.Directory.Exists(directory))
        {
            throw new DirectoryNotFoundException($"The folder {directory} does not exist.");
        }

        var files = new EvidenceFiles(Path.GetFullPath(directory));
        files.Add(new DirectoryInfo(directory), string.Empty, 0);
        return files;
    }

    public bool Has(string name) => _files.ContainsKey(name);

    public long LengthOf(string name) => Find(name).Length;

    /// <summary>Opens a file. A file of length 0 is not opened, because it could be a pipe or a device.</summary>
    /// <exception cref="FormatException">The file does not exist.</exception>
    public Stream OpenRead(string name)
    {
        FileInfo file = Find(name);
        return file.Length == 0 ? Stream.Null : file.OpenRead();
    }

    /// <summary>Reads the text of a file.</summary>
    /// <exception cref="FormatException">The file does not exist or is not valid UTF-8.</exception>
    public string ReadText(string name)
    {
        using var reader = new StreamReader(OpenRead(name), s_utf8, detectEncodingFromByteOrderMarks: false);
        try
        {
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException($"{name}: it is not valid UTF-8.");
        }
    }

    /// <summary>Reads the lines of a file.</summary>
    /// <inheritdoc cref="ReadText" path="/exception"/>
    public string[] ReadLines(string name)
    {
        string text = ReadText(name);
        return text.Length == 0 ? [] : (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
    }

    /// <summary>Reads a file that contains a JSON object.</summary>
    /// <exception cref="FormatException">The file does not exist or is not a valid JSON object. The message names the location.</exception>
    public JsonObject ReadObject(string name)
    {
        try
        {
            return Checked(JsonNode.Parse(ReadText(name)) as JsonObject) ?? throw new FormatException($"{name}: it must be a JSON object.");
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw new FormatException($"{name}: it is not valid JSON: {error.Message}", error);
        }
    }

    /// <summary>Reads a file of JSON lines.</summary>
    /// <exception cref="FormatException">A line is not a JSON object. The message names the line.</exception>
    public SampleSet ReadSamples(string name)
    {
        try
        {
            return new SampleSet([.. ReadLines(name).Select((line, index) => ReadSample(index + 1, line))]);
        }
        catch (FormatException error) when (!error.Message.StartsWith(name, StringComparison.Ordinal))
        {
            throw new FormatException($"{name}: {error.Message}", error);
        }
    }

    private static Sample ReadSample(int number, string line)
    {
        try
        {
            var sample = Sample.Parse(number, line);
            Checked(sample.Fields);
            return sample;
        }
        catch (ArgumentException error)
        {
            throw new FormatException($"Line {number} contains a name twice: {error.Message}", error);
        }
    }

    // Duplicate names are only detected when the members of an object are first accessed.
    private static JsonObject? Checked(JsonObject? value)
    {
        foreach ((string _, JsonNode? child) in value ?? [])
        {
            foreach (JsonNode? item in child is JsonArray list ? list : [])
            {
                Checked(item as JsonObject);
            }

            Checked(child as JsonObject);
        }

        return value;
    }

    private FileInfo Find(string name) => _files.GetValueOrDefault(name) ?? throw new FormatException($"{name}: there is no such file.");

    private void Add(DirectoryInfo directory, string prefix, int depth)
    {
        foreach (FileSystemInfo entry in directory.EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }))
        {
            string name = prefix + entry.Name;
            if (entry.LinkTarget is not null)
            {
                throw new FormatException($"{name}: it is a link, but evidence must be in the folder itself.");
            }

            if (entry is DirectoryInfo inner)
            {
                if (depth == DeepestFolder)
                {
                    throw new FormatException($"{name}: the folder is nested too deeply.");
                }

                Add(inner, name + "/", depth + 1);
            }
            else if (((FileInfo)entry).Length > LargestFile)
            {
                throw new FormatException($"{name}: it has {((FileInfo)entry).Length} bytes, which is too large for a file of evidence.");
            }
            else
            {
                _files.Add(name, (FileInfo)entry);
            }

            if (_files.Count > MostFiles)
            {
                throw new FormatException($"{directory.FullName}: there are more than {MostFiles} files.");
            }
        }
    }
}
