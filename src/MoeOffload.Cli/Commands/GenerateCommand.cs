using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Chat;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Measurement.Reports;
using MoeOffload.Schemas;

namespace MoeOffload.Cli.Commands;

/// <summary>Implements <c>moe generate</c>, which continues a prompt, or answers it with <c>--chat</c>.</summary>
internal sealed class GenerateCommand : ICliCommand
{
    private const int UsualTokens = 64;

    private readonly ModelOpener _opener;
    private readonly PromptArguments _prompt = new();
    private readonly AnswerArguments _answer = new(UsualTokens);
    private readonly SamplingArguments _sampling = new();
    private readonly Option<bool> _chat = Opt.Flag("Answer the prompt with the model's chat template instead of continuing it", "--chat");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON when it is complete", "--json");

    public GenerateCommand(GlobalOptions global)
    {
        _opener = ModelOpener.ForAnswers(global);
        Command = new Command("generate", "Continue a prompt") { _chat, _json };
        _prompt.AddTo(Command);
        _answer.AddTo(Command);
        _sampling.AddTo(Command);
        _opener.AddTo(Command);
        Command.Validators.Add(result =>
        {
            if (result.GetValue<string?>("--system") is not null && !result.GetValue(_chat))
            {
                result.AddError("--system is only allowed with --chat.");
            }
        });
    }

    public Command Command { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        string prompt = await _prompt.ReadAsync(invocation).ConfigureAwait(false);
        SamplingOptions sampling = _sampling.Read(parsed);
        JsonSchema? schema = _sampling.ReadSchema(parsed);
        using OpenModel opened = await _opener.OpenAsync(invocation, entry, _opener.ContextOptions(invocation)).ConfigureAwait(false);
        GenerationSession session = opened.Session;

        bool isJson = parsed.GetValue(_json);
        var answer = new StringBuilder();
        Action<string> write = isJson ? text => answer.Append(text) : text => Show(invocation.Terminal, text);
        (string? reason, StopReason? stop, GenerationStatistics statistics) = parsed.GetValue(_chat)
            ? await ChatAsync(invocation, session, prompt, sampling, schema, write).ConfigureAwait(false)
            : await ContinueAsync(invocation, session, _answer.Request(parsed, prompt, sampling with { JsonSchema = schema }), write).ConfigureAwait(false);
        if (isJson)
        {
            JsonObject json = MemoryReport.Describe(statistics);
            json.Insert(0, "model", entry.Name);
            json.Insert(1, "response", answer.ToString());
            json.Insert(2, "stop_reason", reason);
            Json.Write(invocation.Terminal.Out, json);
            return ExitCode.Success;
        }

        if (invocation.Terminal.IsOutputSeen || parsed.GetValue(_chat))
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

    private static void Show(Terminal terminal, string text)
    {
        terminal.Out.Write(terminal.Harmless(text));
        terminal.Out.Flush();
    }

    private static async Task<(string? Reason, StopReason? Stop, GenerationStatistics Statistics)> ContinueAsync(
        Invocation invocation, GenerationSession session, GenerationRequest request, Action<string> write)
    {
        TokenStream stream = session.GenerateAsync(request, invocation.Cancelled);
        await stream.StartAsync(CancellationToken.None).ConfigureAwait(false);
        IAsyncEnumerator<GeneratedToken> tokens = stream.GetAsyncEnumerator(CancellationToken.None);
        await using (tokens.ConfigureAwait(false))
        {
            bool isNext = await PromptProgress.WaitAsync(
                invocation.Terminal, stream.PromptTokenCount, () => stream.ComputedPromptTokenCount, tokens.MoveNextAsync()).ConfigureAwait(false);
            while (isNext)
            {
                write(tokens.Current.Text);
                isNext = await tokens.MoveNextAsync().ConfigureAwait(false);
            }
        }

        return (stream.StopReason?.ToString(), stream.StopReason, stream.Statistics!);
    }

    private async Task<(string? Reason, StopReason? Stop, GenerationStatistics Statistics)> ChatAsync(
        Invocation invocation, GenerationSession session, string prompt, SamplingOptions sampling, JsonSchema? schema, Action<string> write)
    {
        List<ChatMessage> messages = [.. _answer.System(invocation.Parsed) is { } system ? [ChatMessage.System(system)] : Array.Empty<ChatMessage>(), ChatMessage.User(prompt)];
        ChatStream stream = session.ChatAsync(messages, _answer.Chat(invocation.Parsed, sampling, schema), invocation.Cancelled);
        ChatUpdate last = await ChatAnswer.ShowAsync(invocation.Terminal, stream, (_, content) => write(content)).ConfigureAwait(false);
        return (last.FinishReason?.ToString(), stream.StopReason, stream.Statistics!);
    }
}
