using System.CommandLine;
using System.Globalization;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Evidence.Templates;
using MoeOffload.Measurement.Evidence.Verification;
using MoeOffload.Shared;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe evidence render</c>, which fills a text with figures from evidence, so that none is typed by hand.</summary>
internal sealed class EvidenceRenderCommand : ICliCommand
{
    private readonly Argument<string> _template = new("TEMPLATE") { Description = "The Markdown file with placeholders" };
    private readonly Argument<string[]> _folders = new("DIR") { Description = "The folders of evidence, each as DIR or NAME=DIR", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string?> _output = Opt.Text("PATH", "The file to write; the default is standard output", "--output", "-o");
    private readonly Option<bool> _check = Opt.Flag("Write nothing, and fail if the file differs from what would be written", "--check");

    public EvidenceRenderCommand()
    {
        Command = new Command("render", "Fill the placeholders of a Markdown file with figures, tables and plots from evidence") { _template, _folders, _output, _check };
        Command.Validators.Add(result =>
        {
            if (result.GetValue(_check) && result.GetValue(_output) is null)
            {
                result.AddError("--check needs --output: the file that is checked.");
            }
        });
    }

    public Command Command { get; }

    public Task<int> RunAsync(Invocation invocation)
    {
        string template = invocation.Parsed.GetValue(_template)!;
        string? output = invocation.Parsed.GetValue(_output);
        var folders = new Dictionary<string, EvidenceNames>(StringComparer.Ordinal);
        foreach (string named in invocation.Parsed.GetValue(_folders)!)
        {
            (string name, string directory) = named.Split('=', 2) is [var given, var path] ? (given, path) : (Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(named))), named);
            if (!folders.TryAdd(name, Read(directory)))
            {
                throw new UsageException($"Two folders have the name '{name}': give one of them another name, such as other={directory}.");
            }
        }

        string at = Path.GetDirectoryName(Path.GetFullPath(output ?? template))!;
        string text;
        try
        {
            text = new Template(folders).Fill(File.ReadAllText(template), names => Path.GetRelativePath(at, names.Directory).Replace('\\', '/') + "/");
        }
        catch (FormatException error)
        {
            throw new FormatException($"{template}, {error.Message}", error);
        }

        if (output is null)
        {
            invocation.Terminal.Out.Write(text);
        }
        else if (!invocation.Parsed.GetValue(_check))
        {
            AtomicFile.WriteAllText(output, text);
        }
        else if (!File.Exists(output) || File.ReadAllText(output).ReplaceLineEndings("\n") is var found && found != text)
        {
            string line = File.Exists(output) ? string.Create(CultureInfo.InvariantCulture, $" from line {ReportCheck.FirstDifference(File.ReadAllText(output).ReplaceLineEndings("\n"), text)} on") : string.Empty;
            throw new FormatException($"{output} differs from the result of {template}{line}: run the command without --check to write it.");
        }

        return Task.FromResult(ExitCode.Success);
    }

    // Evidence that fails verification is not used.
    private static EvidenceNames Read(string directory)
    {
        VerificationResult result = EvidenceVerifier.Verify(directory);
        return result is { Problems: [], Folder: { } folder }
            ? new EvidenceNames(folder)
            : throw new FormatException($"{directory} is not valid evidence: {result.Problems[0]} 'moe evidence verify {directory}' shows every problem.");
    }
}
