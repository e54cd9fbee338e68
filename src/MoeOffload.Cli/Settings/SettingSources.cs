using System.CommandLine;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Settings;

/// <summary>
/// Completes a command line with the values of the environment and of the configuration file, so that the same options parse all three. The
/// command line takes precedence over the environment, and the environment over the file.
/// </summary>
internal sealed class SettingSources(Func<string, string?> environment)
{
    private const string Prefix = "MOE_";

    // The options of a group exclude each other, so they are taken from one source: a variable must not add one to the command line's.
    private static readonly string[][] s_exclusive = [["--cpu-moe", "--n-cpu-moe"], ["--grammar", "--grammar-file", "--json-schema"], ["--kv-unified", "--no-kv-unified"], ["--context-shift", "--no-context-shift"]];

    private static readonly Dictionary<string, string> s_shimmy = new(StringComparer.Ordinal) { ["--model"] = "SHIMMY_BASE_GGUF" };

    private readonly Dictionary<Option, string> _origins = [];

    /// <summary>Gets the environment variable of an option: <c>MOE_CTX_SIZE</c> for <c>--ctx-size</c>.</summary>
    public static string VariableOf(Option option) => Prefix + KeyOf(option).Replace('-', '_').ToUpperInvariant();

    /// <summary>Gets the key of an option in the configuration file: <c>ctx-size</c> for <c>--ctx-size</c>.</summary>
    public static string KeyOf(Option option) => option.Name.TrimStart('-');

    /// <summary>Gets the name of a command, including its parents: <c>bench sweep</c>.</summary>
    public static string NameOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent and not RootCommand ? $"{NameOf(parent)} {command.Name}" : command.Name;

    /// <summary>Gets the origin of an option's value; null if it was given on the command line.</summary>
    public string? OriginOf(Option option) => _origins.GetValueOrDefault(option);

    /// <summary>Adds the values to a command line that it does not contain itself.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="parsed">The same command line, parsed without errors.</param>
    /// <param name="root">The root command.</param>
    /// <exception cref="UsageException">The configuration file is not valid.</exception>
    public string[] Complete(string[] arguments, ParseResult parsed, RootCommand root)
    {
        ConfigFile? file = OpenFile(parsed, root);
        Command command = parsed.CommandResult.Command;
        Option[] options = [.. OptionsOf(command, root)];
        Said said = new([.. options.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name)]);
        List<string> added = Add(options, said, FromEnvironment);
        added.AddRange(Add(options, said, option => file?.Find(NameOf(command), KeyOf(option)) is { } values ? (file.Path, values) : null));

        // Arguments after -- are not options.
        int end = Array.IndexOf(arguments, "--");
        end = end < 0 ? arguments.Length : end;
        return [.. arguments[..end], .. added, .. arguments[end..]];
    }

    /// <summary>Gets the options of a command that can have a variable and a key, including those of all commands.</summary>
    public static IEnumerable<Option> OptionsOf(Command command, RootCommand root) => command.Options
        .Concat(command == root ? [] : root.Options.Where(option => option.Recursive))
        .Where(option => option is not (System.CommandLine.Help.HelpOption or VersionOption) && !option.Hidden);

    // Adds the options of one source that no earlier source has set.
    private List<string> Add(Option[] options, Said said, Func<Option, (string Origin, string[] Values)?> find)
    {
        var added = new List<string>();
        var names = new List<(string Name, bool IsOff)>();
        foreach (Option option in options.Where(option => !said.Excludes(option.Name)))
        {
            if (find(option) is not var (origin, values))
            {
                continue;
            }

            bool isFlag = option.ValueType == typeof(bool);
            string[] texts = isFlag ? [.. values.Select(Truth)] : values;
            added.AddRange(texts.Select(text => $"{option.Name}={text}"));
            names.Add((option.Name, isFlag && texts is ["false"]));
            _origins[option] = origin;
        }

        foreach ((string name, bool isOff) in names)
        {
            said.Add(name, isOff);
        }

        return added;
    }

    private (string Origin, string[] Values)? FromEnvironment(Option option)
    {
        string own = VariableOf(option);
        if (environment(own) is { Length: > 0 } value)
        {
            return (own, [value]);
        }

        return s_shimmy.TryGetValue(option.Name, out string? shimmy) && environment(shimmy) is { Length: > 0 } other ? (shimmy, [other]) : null;
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

        Dictionary<string, IReadOnlySet<string>> commands = WithThoseUnder(root).ToDictionary(
            command => command == root ? string.Empty : NameOf(command),
            command => (IReadOnlySet<string>)OptionsOf(command, root).Select(KeyOf).ToHashSet(StringComparer.Ordinal));
        return ConfigFile.Read(named ?? ConfigFile.DefaultPath, commands);
    }

    private static IEnumerable<Command> WithThoseUnder(Command command) => command.Subcommands.SelectMany(WithThoseUnder).Prepend(command);

    private static string Truth(string text) => text.ToLowerInvariant() switch
    {
        "1" or "yes" or "on" => "true",
        "0" or "no" or "off" => "false",
        _ => text,
    };

    /// <summary>Represents the options that earlier sources have set.</summary>
    /// <param name="names">The names of the options.</param>
    private sealed class Said(HashSet<string> names)
    {
        private readonly HashSet<string> _names = [.. names];
        private readonly HashSet<string> _on = [.. names];

        public bool Excludes(string name) =>
            _names.Contains(name) || s_exclusive.Any(group => group.Contains(name) && group.Any(_on.Contains));

        // A flag that is off does not exclude other options.
        public void Add(string name, bool isOff)
        {
            _names.Add(name);
            if (!isOff)
            {
                _on.Add(name);
            }
        }
    }
}
