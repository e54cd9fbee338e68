using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using MoeOffload.Cli.Commands;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Settings;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli;

/// <summary>Implements the command <c>moe</c>: parses the command line, runs the command, and converts errors to a message and an exit code.</summary>
internal static class MoeCommand
{
    // A prompt can begin with an @, and llama.cpp's -ngl does not mean -n -g -l.
    private static readonly ParserConfiguration s_parser = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <summary>Runs the command.</summary>
    /// <param name="arguments">The command line.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        arguments = WithoutWords(arguments);
        var terminal = new Terminal();
        using var interruption = new Interruption();
        bool isVerbose = arguments.Contains("--verbose") || arguments.Contains("-v");
        try
        {
            var global = new GlobalOptions();
            RootCommand root = Build(global, (command, run) => command.SetAction(async (parsed, _) =>
            {
                using var invocation = new Invocation(parsed, global, terminal, interruption);
                isVerbose = invocation.IsVerbose;
                return await run(invocation).ConfigureAwait(false);
            }));
            ParseResult result = Parse(root, arguments, Environment.GetEnvironmentVariable);
            return await result.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return interruption.Code;
        }
        catch (Exception error)
        {
            terminal.Out.Flush();
            terminal.Error.WriteLine($"error: {Failure.LineOf(error)}");
            if (isVerbose)
            {
                terminal.Error.WriteLine(error);
            }

            return Failure.CodeOf(error);
        }
    }

    /// <summary>Builds the root command with all commands.</summary>
    /// <param name="global">The options of all commands.</param>
    /// <param name="run">Sets the action of a command.</param>
    public static RootCommand Build(GlobalOptions global, Action<Command, Func<Invocation, Task<int>>> run)
    {
        var root = new RootCommand("Run and serve Mixture-of-Experts models on a GPU that is much smaller than the model.");
        UseShortHelp(root);
        global.AddTo(root);
        foreach (ICliCommand command in new ICliCommand[]
        {
            new RunCommand(global), new ServeCommand(global), new GenerateCommand(global), new ListCommand(global), new DiscoverCommand(global),
            new PullCommand(), new ProbeCommand(global), new InspectCommand(global), new PlanCommand(global), new FitCommand(global), new BenchCommand(global),
            new TraceCommand(global), new ReplayCommand(), new EvidenceCommand(global), new ModelCommand(), new GpuInfoCommand(global), new CompletionCommand(),
        })
        {
            Add(root, command, global, run);
        }

        root.SetAction(parsed => new System.CommandLine.Help.HelpAction().Invoke(parsed));
        return root;
    }

    /// <summary>Parses a command line, completed with the environment and the configuration file.</summary>
    /// <exception cref="UsageException">The command line, the environment or the configuration file is not valid.</exception>
    public static ParseResult Parse(RootCommand root, string[] arguments, Func<string, string?> environment)
    {
        ParseResult first = Check(root.Parse(arguments, s_parser), null);

        // Help, the version and completions do not need settings, and must work even if the settings are not valid.
        if (first.CommandResult.Command == root || first.Action is not AsynchronousCommandLineAction)
        {
            GlobalOptions.HideFrom(first.CommandResult.Command, root);
            return first;
        }

        var sources = new SettingSources(environment);
        return Check(root.Parse(sources.Complete(arguments, first, root), s_parser), sources);
    }

    // Users of other commands ask in these words too.
    private static string[] WithoutWords(string[] arguments) => arguments switch
    {
        ["help", .. var command] => [.. command, "--help"],
        ["version"] => ["--version"],
        _ => arguments,
    };

    // On other systems than Windows, /? and /h would be offered as completions, and mean files.
    private static void UseShortHelp(RootCommand root)
    {
        if (!OperatingSystem.IsWindows())
        {
            root.Options.Remove(root.Options.OfType<System.CommandLine.Help.HelpOption>().Single());
            root.Options.Add(new System.CommandLine.Help.HelpOption("--help", "-h", "-?"));
        }
    }

    private static void Add(Command parent, ICliCommand command, GlobalOptions global, Action<Command, Func<Invocation, Task<int>>> run)
    {
        run(command.Command, command.RunAsync);
        command.Command.Validators.Add(global.Validate);
        parent.Subcommands.Add(command.Command);
        foreach (ICliCommand under in command.Subcommands)
        {
            Add(command.Command, under, global, run);
        }
    }

    private static ParseResult Check(ParseResult result, SettingSources? sources)
    {
        Command command = result.CommandResult.Command;
        string help = command is RootCommand ? "moe --help" : $"moe {SettingSources.NameOf(command)} --help";
        if (result.Action is not ParseErrorAction)
        {
            return sources is not null && MistypedOption.Describe(result) is { } mistyped ? throw new UsageException($"{mistyped} See '{help}'.") : result;
        }

        ParseError error = result.Errors[0];
        Option? option = (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult)?.Option;
        string origin = option is not null && sources?.OriginOf(option) is { Length: > 0 } place ? $" It was set by {place}." : string.Empty;
        throw new UsageException($"{error.Message}{origin} See '{help}'.");
    }
}
