using System.CommandLine;
using System.CommandLine.Parsing;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Evidence.Making;
using MoeOffload.Measurement.Evidence.Verification;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe evidence make</c>, which measures models and writes a folder that others can check.</summary>
internal sealed class EvidenceMakeCommand : ICliCommand
{
    private static readonly string[] s_benches = ["memory", "streaming", "quality", "sweep"];

    private readonly Dictionary<string, IBenchSettings> _settings = s_benches.ToDictionary(name => name, name => (IBenchSettings)(name switch
    {
        "memory" => new MemoryArguments(new BenchNames(name)),
        "streaming" => new StreamingArguments(new BenchNames(name)),
        "quality" => new QualityArguments(new BenchNames(name)),
        _ => new SweepArguments(new BenchNames(name)),
    }));

    private readonly Argument<string[]> _models = new("MODEL") { Description = "The models: names from 'moe list', or paths of GGUF files", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _output = Opt.Text("DIR", "The folder to write, which must be new or empty", "--output", "-o");
    private readonly Option<IReadOnlyList<string>?> _names = Opt.Parsed<IReadOnlyList<string>>(
        "NAME,…", "The benchmarks to run; the default is all", ReadNames, $"a comma-separated list of {string.Join(", ", s_benches)}", "--benches");

    private readonly ModelArgument _catalog;
    private readonly BenchArguments _arguments;

    public EvidenceMakeCommand(GlobalOptions global)
    {
        _catalog = new ModelArgument(global);
        _arguments = new BenchArguments(global);
        Command = new Command("make", "Measure models and write a folder of evidence that others can check") { _models, _output, _names };
        foreach (Option option in _settings.Values.SelectMany(settings => settings.Options))
        {
            Command.Options.Add(option);
        }

        _arguments.AddLoadingTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        string directory = parsed.GetValue(_output) ?? throw new UsageException("No folder is given: set it with --output DIR.");
        CatalogEntry[] entries = [.. parsed.GetValue(_models)!.Select(name => _catalog.Find(parsed, name))];
        IReadOnlyList<string> names = parsed.GetValue(_names) ?? s_benches;
        var maker = new EvidenceMaker(directory, CommandLine(invocation));
        foreach (CatalogEntry entry in entries)
        {
            // Each model has its own server, so that memory that one model left behind is not attributed to another.
            using LoopbackRpcServer? server = _arguments.StartServer(invocation);
            BenchSubject subject = _arguments.Read(invocation, entry, server);
            if (entry == entries[0])
            {
                maker.Begin(subject.Load);
            }

            IBench[] benches = [.. s_benches.Where(names.Contains).Select(name => _settings[name].Make(subject, parsed))];
            await ProgressBar.RunStepsAsync(invocation.Terminal, subject.Name, async progress =>
            {
                await maker.AddAsync(
                    subject, benches, new ProgressBar.Direct<BenchProgress>(at => progress.Report((at.Done / (float)at.Total, at.Step))), invocation.Cancelled).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
        }

        maker.End();
        return EvidenceVerifyCommand.Write(invocation, directory, EvidenceVerifier.Verify(directory));
    }

    private static string[]? ReadNames(string text)
    {
        string[] names = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return names.Length > 0 && names.All(s_benches.Contains) ? names : null;
    }

    // Includes options from environment variables and the configuration file. Paths are shortened to their last part, because the rest means
    // nothing on other machines.
    private static string CommandLine(Invocation invocation) => string.Join(' ', invocation.Parsed.Tokens
        .Select(token => token.Type == TokenType.Argument && Path.IsPathRooted(token.Value) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(token.Value)) : token.Value)
        .Prepend("moe")
        .Select(word => word.All(character => char.IsLetterOrDigit(character) || "-_./:,=+@%".Contains(character, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'"));
}
