using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe generate</c>, which continues a prompt, or answers it with <c>--chat</c>.</summary>
internal sealed class GenerateCommand : ICliCommand
{
    private readonly ModelOpener _opener;
    private readonly OneAnswer _answer = new();
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON when it is complete", "--json");

    public GenerateCommand(GlobalOptions global)
    {
        _opener = ModelOpener.ForAnswers(global);
        Command = new Command("generate", "Continue a prompt") { _json };
        _answer.AddTo(Command);
        _opener.AddTo(Command);
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        Func<GenerationSession, Action<string>, Task<OneAnswerResult>> run = await _answer.ReadAsync(invocation).ConfigureAwait(false);
        using OpenModel opened = await _opener.OpenAsync(invocation, entry, _opener.ContextOptions(invocation)).ConfigureAwait(false);
        GenerationSession session = opened.Session;

        bool isJson = parsed.GetValue(_json);
        var answer = new StringBuilder();
        Action<string> write = isJson ? text => answer.Append(text) : text => Show(invocation.Terminal, text);
        (string? reason, StopReason? stop, GenerationStatistics statistics) = await run(session, write).ConfigureAwait(false);
        if (isJson)
        {
            JsonObject json = MemoryReport.Describe(statistics);
            json.Insert(0, "model", entry.Name);
            json.Insert(1, "response", answer.ToString());
            json.Insert(2, "stop_reason", reason);
            Json.Write(invocation.Terminal.Out, json);
            return ExitCode.Success;
        }

        if (invocation.Terminal.IsOutputSeen || _answer.IsChat(parsed))
        {
            invocation.Terminal.Out.WriteLine();
        }

        ChatAnswer.WriteCut(invocation.Terminal, stop, session);
        if (invocation.Terminal.IsErrorSeen || invocation.IsVerbose)
        {
            invocation.Terminal.Error.WriteLine(Line(statistics));
            if (opened.Model.ReadExpertStorage() is { } storage)
            {
                invocation.Terminal.Error.WriteLine(storage);
            }
        }

        WriteExperts(invocation, session);
        return ExitCode.Success;
    }

    /// <summary>Formats the statistics of an answer on one line.</summary>
    public static string Line(GenerationStatistics statistics) => string.Create(
        CultureInfo.InvariantCulture,
        $"[{statistics.GeneratedTokens} tokens, {statistics.TokensPerSecond:0.0} tokens/s; the first after {statistics.TimeToFirstToken.TotalSeconds:0.00} s, {statistics.PromptTokens} of the prompt, {statistics.CachedPromptTokens} of them cached]");

    /// <summary>Shows which experts were chosen, if they were counted.</summary>
    public static void WriteExperts(Invocation invocation, GenerationSession session)
    {
        if (session.ExpertActivity is { } activity)
        {
            invocation.Terminal.Error.WriteLine(activity);
        }
    }

    /// <summary>Shows a piece of an answer.</summary>
    public static void Show(Terminal terminal, string text)
    {
        terminal.Out.Write(terminal.Harmless(text));
        terminal.Out.Flush();
    }
}
