using System.Text.Json;
using System.Text.Json.Serialization;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Terminals;

/// <summary>
/// Represents what was typed in earlier chats. It is kept in a file that only its owner may read, and each line of the file is a JSON string.
/// Only the latest entries are kept.
/// </summary>
internal sealed class History
{
    private const int MostEntries = 1000;
    private const int MostCharacters = 1 << 16;

    // The file is shortened only occasionally, because that rewrites all of it.
    private const int MostLines = MostEntries + 200;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly List<string> _entries = [];
    private readonly string? _path;
    private int _lines;
    private int _at;
    private string _draft = string.Empty;

    /// <summary>Reads the history of earlier chats.</summary>
    /// <param name="path">The file; null keeps no history.</param>
    public History(string? path)
    {
        _path = path;
        if (path is null || !File.Exists(path))
        {
            return;
        }

        try
        {
            _entries.AddRange(ReadEntries(path));
            if (_entries.Count == 0 && _lines > 0)
            {
                // The file is not a history, so nothing is written to it.
                _path = null;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A chat must work even if the history cannot be read.
            _path = null;
        }
    }

    /// <summary>Gets the default path: <c>moe/history</c> in the directory for the user's state.</summary>
    public static string DefaultPath => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state ? state
            : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"),
        "moe",
        "history");

    /// <summary>Moves back to the newest entry.</summary>
    public void Rewind()
    {
        _at = _entries.Count;
        _draft = string.Empty;
    }

    /// <summary>Moves to the previous entry and returns it, or null if there is none.</summary>
    /// <param name="current">The line that is being typed, which comes after the newest entry.</param>
    public string? Older(string current)
    {
        if (_at == 0)
        {
            return null;
        }

        if (_at == _entries.Count)
        {
            _draft = current;
        }

        return _entries[--_at];
    }

    /// <summary>Moves to the next entry and returns it, or null if there is none.</summary>
    public string? Newer() => _at >= _entries.Count ? null
        : ++_at == _entries.Count ? _draft
        : _entries[_at];

    /// <summary>Adds an entry, unless it repeats the latest one.</summary>
    public void Add(string entry)
    {
        if (_entries.Count > 0 && _entries[^1] == entry)
        {
            return;
        }

        _entries.Add(entry);
        if (_entries.Count > MostEntries)
        {
            _entries.RemoveAt(0);
        }

        if (_path is null || entry.Length > MostCharacters)
        {
            return;
        }

        try
        {
            Append(_path, entry);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A chat must work even if the history cannot be written.
        }
    }

    private void Append(string path, string entry)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        using (var file = new FileStream(path, options))
        using (var writer = new StreamWriter(file))
        {
            writer.Write(Line(entry));
        }

        if (++_lines > MostLines)
        {
            // Read the file again, because another chat could have added lines.
            AtomicFile.WriteAllText(path, string.Concat(ReadEntries(path).Select(Line)), OwnerOnly);
            _lines = MostEntries;
        }
    }

    // Lines that are not JSON strings are skipped, because a power failure could have truncated one.
    private string[] ReadEntries(string path)
    {
        string[] lines = File.ReadAllLines(path);
        _lines = lines.Length;
        return [.. lines.Select(Parse).OfType<string>().TakeLast(MostEntries)];
    }

    private static string? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, HistoryJson.Default.String);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Line(string entry) => JsonSerializer.Serialize(entry, HistoryJson.Default.String) + "\n";
}

[JsonSerializable(typeof(string))]
internal sealed partial class HistoryJson : JsonSerializerContext;
