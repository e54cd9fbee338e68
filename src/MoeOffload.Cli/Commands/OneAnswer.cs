using System.CommandLine;
using MoeOffload.Chat;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Cli.Terminals;
using MoeOffload.Schemas;

namespace MoeOffload.Cli.Commands;

/// <summary>Represents a prompt of a command line that is continued, or answered with <c>--chat</c>, and the options for it.</summary>
internal sealed class OneAnswer
{
    private const int UsualTokens = 64;

    private readonly PromptArguments _prompt = new();
    private readonly AnswerArguments _answer = new(UsualTokens);
    private readonly SamplingArguments _sampling = new();
    private readonly Option<bool> _chat = Opt.Flag("Answer the prompt with the model's chat template instead of continuing it", "--chat");

    public void AddTo(Command command)
    {
        command.Options.Add(_chat);
        _prompt.AddTo(command);
        _answer.AddTo(command);
        _sampling.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue<string?>("--system") is not null && !result.GetValue(_chat))
            {
                result.AddError("--system is only allowed with --chat.");
            }
        });
    }

    /// <summary>Gets a value that indicates whether the prompt is answered as a chat.</summary>
    public bool IsChat(ParseResult parsed) => parsed.GetValue(_chat);

    /// <summary>Reads the prompt, and checks the options before a model is loaded.</summary>
    /// <returns>A function that generates the answer in a session and passes it to another function, piece by piece.</returns>
    /// <exception cref="UsageException">No prompt is given, or an option is not valid.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public async Task<Func<GenerationSession, Action<string>, Task<OneAnswerResult>>> ReadAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        string prompt = await _prompt.ReadAsync(invocation).ConfigureAwait(false);
        SamplingOptions sampling = _sampling.Read(parsed);
        JsonSchema? schema = _sampling.ReadSchema(parsed);
        return (session, write) => IsChat(parsed)
            ? ChatAsync(invocation, session, prompt, sampling, schema, write)
            : ContinueAsync(invocation, session, _answer.Request(parsed, prompt, sampling with { JsonSchema = schema }), write);
    }

    private static async Task<OneAnswerResult> ContinueAsync(
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

        return new OneAnswerResult(stream.StopReason?.ToString(), stream.StopReason, stream.Statistics!);
    }

    private async Task<OneAnswerResult> ChatAsync(
        Invocation invocation, GenerationSession session, string prompt, SamplingOptions sampling, JsonSchema? schema, Action<string> write)
    {
        List<ChatMessage> messages = [.. _answer.System(invocation.Parsed) is { } system ? [ChatMessage.System(system)] : Array.Empty<ChatMessage>(), ChatMessage.User(prompt)];
        ChatStream stream = session.ChatAsync(messages, _answer.Chat(invocation.Parsed, sampling, schema), invocation.Cancelled);
        ChatUpdate last = await ChatAnswer.ShowAsync(invocation.Terminal, stream, (_, content) => write(content)).ConfigureAwait(false);
        return new OneAnswerResult(last.FinishReason?.ToString(), stream.StopReason, stream.Statistics!);
    }
}
