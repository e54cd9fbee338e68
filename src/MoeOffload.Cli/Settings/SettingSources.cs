using System.CommandLine;

namespace MoeOffload.Cli.Settings;

/// <summary>
/// Completes a command line with what the environment and the configuration file say, so that all three are read by the same options: the
/// command line before the environment, the environment before the file.
/// </summary>
internal sealed class SettingSources(Func<string, string?> environment)
{
    private const string Prefix = "MOE_";

    // Of these one decides: what the command line says of one is not to be joined by what a variable says of another.
    private static readonly string[][] s_exclusive = [["--cpu-moe", "--n-cpu-moe"], ["--grammar", "--grammar-file", "--json-schema"]];

    private static readonly Dictionary<string, string> s_shimmy = new(StringComparer.Ordinal) { ["--model"] = "SHIMMY_BASE_GGUF" };

    private readonly Dictionary<Option, string> _origins = [];

    /// <summary>The variable of an option: <c>MOE_CTX_SIZE</c> of <c>--ctx-size</c>.</summary>
    public static string VariableOf(Option option) => Prefix + KeyOf(option).Replace('-', '_').ToUpperInvariant();

    /// <summary>The key of an option in the configuration file: <c>ctx-size</c> of <c>--ctx-size</c>.</summary>
    public static string KeyOf(Option option) => option.Name.TrimStart('-');

    /// <summary>Where an option's value comes from, if it was not given on the command line.</summary>
    public string? OriginOf(Option option) => _origins.GetValueOrDefault(option);

    /// <summary>Gives a command line with the values that it does not have itself.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="parsed">The same, parsed, without errors.</param>
    /// <param name="root">The command that has all others.</param>
    /// <exception cref="UsageException">The configuration file is wrong.</exception>
    public string[] Complete(string[] arguments, ParseResult parsed, RootCommand root)
    {
        ConfigFile? file = OpenFile(parsed, root);
        Command command = parsed.CommandResult.Command;
        HashSet<string> given = [.. OptionsOf(command, root).Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)];
        var added = new List<string>();
        foreach (Option option in OptionsOf(command, root).Where(option => !given.Contains(option.Name)))
        {
            added.AddRange(Add(option, command.Name, given, file));
        }

        // What comes after -- is not read as options.
        int end = Array.IndexOf(arguments, "--");
        end = end < 0 ? arguments.Length : end;
        return [.. arguments[..end], .. added, .. arguments[end..]];
    }

    /// <summary>The options of a command, those of all commands included, that can have a variable and a key.</summary>
    public static IEnumerable<Option> OptionsOf(Command command, RootCommand root) => command.Options
        .Concat(command == root ? [] : root.Options.Where(option => option.Recursive))
        .Where(option => option is not (System.CommandLine.Help.HelpOption or VersionOption) && !option.Hidden);

    private IEnumerable<string> Add(Option option, string command, HashSet<string> given, ConfigFile? file)
    {
        if (s_exclusive.Any(group => group.Contains(option.Name) && group.Any(given.Contains)))
        {
            return [];
        }

        string[]? values;
        if (FromEnvironment(option) is var (variable, value))
        {
            values = [value];
            _origins[option] = variable;
        }
        else
        {
            values = file?.Find(command, KeyOf(option));
            _origins[option] = file?.Path ?? string.Empty;
        }

        if (values is null)
        {
            return [];
        }

        bool isFlag = option.ValueType == typeof(bool);
        if (!isFlag || values[^1] != "false")
        {
            given.Add(option.Name);
        }

        return values.Select(text => $"{option.Name}={(isFlag ? Truth(text) : text)}");
    }

    private (string Name, string Value)? FromEnvironment(Option option)
    {
        string own = VariableOf(option);
        if (environment(own) is { Length: > 0 } value)
        {
            return (own, value);
        }

        return s_shimmy.TryGetValue(option.Name, out string? shimmy) && environment(shimmy) is { Length: > 0 } other ? (shimmy, other) : null;
    }

    private ConfigFile? OpenFile(ParseResult parsed, RootCommand root)
    {
        Option config = root.Options.Single(option => option.Name == "--config");
        string? named = parsed.GetResult(config) is { Implicit: false } result
            ? result.GetValueOrDefault<string?>()
            : environment(VariableOf(config)) is { Length: > 0 } variable ? variable : null;
        if (named is null && !File.Exists(ConfigFile.DefaultPath))
        {
            return null;
        }

        Dictionary<string, IReadOnlySet<string>> commands = root.Subcommands.Prepend(root).ToDictionary(
            command => command == root ? string.Empty : command.Name,
            command => (IReadOnlySet<string>)OptionsOf(command, root).Select(KeyOf).ToHashSet(StringComparer.Ordinal));
        return ConfigFile.Read(named ?? ConfigFile.DefaultPath, commands);
    }

    private static string Truth(string text) => text.ToLowerInvariant() switch
    {
        "1" or "yes" or "on" => "true",
        "0" or "no" or "off" => "false",
        _ => text,
    };
}
