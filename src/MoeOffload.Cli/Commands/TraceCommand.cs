using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Diagnostics;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe trace</c>, which continues a prompt like <c>moe generate</c>, and records the experts that the routers choose.</summary>
internal sealed class TraceCommand : ICliCommand
{
    private readonly ModelOpener _opener;
    private readonly OneAnswer _answer = new();
    private readonly Option<string?> _output = Opt.Text("PATH", "The file to write; the default is NAME.moetrace in this directory", "--output", "-o");
    private readonly Option<bool> _json = Opt.Flag("Print a description of the trace as JSON instead of the text", "--json");

    public TraceCommand(GlobalOptions global)
    {
        _opener = ModelOpener.ForAnswers(global);
        Command = new Command("trace", "Continue a prompt, and record which experts each token uses") { _output, _json };
        _answer.AddTo(Command);
        _opener.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        Func<GenerationSession, Action<string>, Task<OneAnswerResult>> answer = await _answer.ReadAsync(invocation).ConfigureAwait(false);
        string path = invocation.Parsed.GetValue(_output) ?? DefaultPath(entry.Name);
        using OpenModel opened = await _opener.OpenAsync(
            invocation, entry, _opener.ContextOptions(invocation) with { TraceExperts = path }).ConfigureAwait(false);
        bool isJson = invocation.Parsed.GetValue(_json);
        OneAnswerResult result = await answer(opened.Session, isJson ? static _ => { } : text => GenerateCommand.Show(invocation.Terminal, text)).ConfigureAwait(false);
        ExpertTraceSummary trace = await opened.Session.CompleteTraceAsync(invocation.Cancelled).ConfigureAwait(false);
        ModelInfo info = opened.Model.Info;
        if (isJson)
        {
            Json.Write(invocation.Terminal.Out, new JsonObject
            {
                ["model"] = entry.Name,
                ["path"] = trace.Path,
                ["bytes"] = trace.Bytes,
                ["steps"] = trace.StepCount,
                ["tokens"] = trace.TokenCount,
                ["prompt_tokens"] = result.Statistics.PromptTokens,
                ["generated_tokens"] = result.Statistics.GeneratedTokens,
                ["layers"] = info.LayerCount,
                ["experts"] = info.ExpertCount,
                ["experts_used"] = info.ExpertUsedCount,
            });
            return ExitCode.Success;
        }

        if (invocation.Terminal.IsOutputSeen || _answer.IsChat(invocation.Parsed))
        {
            invocation.Terminal.Out.WriteLine();
        }

        GenerateCommand.WriteExperts(invocation, opened.Session);
        invocation.Terminal.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"[trace: {trace.TokenCount} tokens in {trace.StepCount} steps, {Size.Of(trace.Bytes)} in {trace.Path}]"));
        return ExitCode.Success;
    }

    // A name can be ORG/REPO:QUANT.
    private static string DefaultPath(string name) =>
        string.Concat(name.Select(character => Path.GetInvalidFileNameChars().Contains(character) || character is '/' or '\\' or ':' ? '_' : character)) + ".moetrace";
}
