using System.Text.Json;
using System.Text.Json.Serialization;

namespace MoeOffload.Cli.Terminals;

/// <summary>What was typed before, kept in a file that only its owner may read; each line of it is a JSON string.</summary>
internal sealed class History
{
    private const int MostEntries = 1000;

    private readonly List<string> _entries = [];
    private readonly string? _path;
    private int _at;
    private string _draft = string.Empty;

    /// <summary>Reads the history of earlier chats.</summary>
    /// <param name="path">The file; null keeps none.</param>
    public History(string? path)
    {
        _path = path;
        if (path is null || !File.Exists(path))
        {
            return;
        }

        try
        {
            _entries.AddRange(File.ReadLines(path).TakeLast(MostEntries).Select(line => JsonSerializer.Deserialize(line, HistoryJson.Default.String)).OfType<string>());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            // A history that cannot be read is no reason not to chat.
            _path = null;
        }
    }

    /// <summary>Where it is kept: <c>moe/history</c> in the directory for a user's state.</summary>
    public static string DefaultPath => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state ? state
            : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"),
        "moe",
        "history");

    /// <summary>Begins at the newest entry again.</summary>
    public void Rewind()
    {
        _at = _entries.Count;
        _draft = string.Empty;
    }

    /// <summary>The entry before; null where there is none.</summary>
    /// <param name="current">What is typed now, which comes back after the newest entry.</param>
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

    /// <summary>The entry after; null where there is none.</summary>
    public string? Newer() => _at >= _entries.Count ? null
        : ++_at == _entries.Count ? _draft
        : _entries[_at];

    /// <summary>Adds an entry.</summary>
    public void Add(string entry)
    {
        if (_entries.Count > 0 && _entries[^1] == entry)
        {
            return;
        }

        _entries.Add(entry);
        if (_path is null)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            using var file = new FileStream(_path, Options());
            using var writer = new StreamWriter(file);
            writer.Write(JsonSerializer.Serialize(entry, HistoryJson.Default.String) + "\n");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
    }

    private static FileStreamOptions Options()
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}

[JsonSerializable(typeof(string))]
internal sealed partial class HistoryJson : JsonSerializerContext;
