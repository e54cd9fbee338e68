using System.Text.Json;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Settings;

/// <summary>
/// Represents the configuration file: a JSON object whose keys are the long names of options. A key can also be the name of a command,
/// whose value is an object with the options of that command.
/// </summary>
internal sealed class ConfigFile
{
    private readonly Dictionary<string, string[]> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, string[]>> _commands = new(StringComparer.Ordinal);

    private ConfigFile(string path) => Path = path;

    public string Path { get; }

    /// <summary>Gets the path of the file, unless <c>--config</c> or <c>MOE_CONFIG</c> sets another one.</summary>
    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "moe", "config.json");

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="commands">The long names of the options by command; the empty name is for the options of all commands.</param>
    /// <exception cref="UsageException">The file cannot be read, is not valid JSON, or has a key that is not an option.</exception>
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
            throw new UsageException($"{path} is not valid JSON: {error.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The configuration file cannot be read: {error.Message}");
        }
    }

    /// <summary>Finds the values of an option, first in the command's own object; null if there are none.</summary>
    public string[]? Find(string command, string option) =>
        _commands.GetValueOrDefault(command)?.GetValueOrDefault(option) ?? _values.GetValueOrDefault(option);

    private void ReadRoot(JsonElement root, IReadOnlyDictionary<string, IReadOnlySet<string>> commands)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new UsageException($"{Path}: the file must be a JSON object, such as {{\"ctx-size\": 8192}}.");
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
            throw new UsageException($"{Path}: '{shown}' is not an option: use the long names of options without dashes, and the names of commands.");
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
        _ => throw new UsageException($"{Path}: '{shown}' must be a string, a number, true, false, or an array of these."),
    };
}
