using System.Text.Json;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Settings;

/// <summary>
/// The configuration file: a JSON object whose keys are the options' long names, and the names of commands for objects with options of
/// theirs alone.
/// </summary>
internal sealed class ConfigFile
{
    private readonly Dictionary<string, string[]> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, string[]>> _commands = new(StringComparer.Ordinal);

    private ConfigFile(string path) => Path = path;

    public string Path { get; }

    /// <summary>Where the file is looked for, unless <c>--config</c> or <c>MOE_CONFIG</c> says otherwise.</summary>
    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "moe", "config.json");

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="commands">The options' long names by command, the empty name for those of all commands.</param>
    /// <exception cref="UsageException">It cannot be read, is no such JSON, or has a key that is no option.</exception>
    public static ConfigFile Read(string path, IReadOnlyDictionary<string, IReadOnlySet<string>> commands)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(
                File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var file = new ConfigFile(path);
            file.ReadRoot(json.RootElement, commands);
            return file;
        }
        catch (JsonException error)
        {
            throw new UsageException($"{path} is no JSON: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The configuration file cannot be read: {error.Message}");
        }
    }

    /// <summary>The values of an option, those of the command's own object first; null where there are none.</summary>
    public string[]? Find(string command, string option) =>
        _commands.GetValueOrDefault(command)?.GetValueOrDefault(option) ?? _values.GetValueOrDefault(option);

    private void ReadRoot(JsonElement root, IReadOnlyDictionary<string, IReadOnlySet<string>> commands)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new UsageException($"{Path}: the file must be an object, as {{\"ctx-size\": 8192}}.");
        }

        HashSet<string> all = [.. commands.Values.SelectMany(names => names)];
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Object && commands.TryGetValue(property.Name, out IReadOnlySet<string>? own))
            {
                var values = new Dictionary<string, string[]>(StringComparer.Ordinal);
                foreach (JsonProperty inner in property.Value.EnumerateObject())
                {
                    Add(values, inner, own, $"{property.Name}.{inner.Name}");
                }

                _commands[property.Name] = values;
            }
            else
            {
                Add(_values, property, all, property.Name);
            }
        }
    }

    private void Add(Dictionary<string, string[]> values, JsonProperty property, IReadOnlySet<string> known, string shown)
    {
        if (!known.Contains(property.Name))
        {
            throw new UsageException($"{Path}: '{shown}' is no option; the keys are the long names of options without dashes, and names of commands.");
        }

        if (property.Value.ValueKind != JsonValueKind.Null)
        {
            values[property.Name] = property.Value.ValueKind == JsonValueKind.Array
                ? [.. property.Value.EnumerateArray().Select(item => Text(item, shown))]
                : [Text(property.Value, shown)];
        }
    }

    private string Text(JsonElement value, string shown) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => throw new UsageException($"{Path}: '{shown}' must be a text, a number, true, false, or a list of these."),
    };
}
