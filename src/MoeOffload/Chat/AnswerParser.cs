using System.Runtime.ExceptionServices;

namespace MoeOffload.Chat;

/// <summary>
/// Parses a growing answer on the thread pool, one parse at a time, since a parse takes longer the longer the answer is. The reader of the
/// stream calls all members. It adds tokens only while no parse runs, so that it never waits for one.
/// </summary>
/// <param name="chat">The chat that is answered.</param>
internal sealed class AnswerParser(RenderedChat chat)
{
    private readonly ChatAnswerReader _reader = new(chat);
    private readonly List<GeneratedToken> _tokens = [];
    private int _parsedCount;
    private Task<Result>? _parse;

    /// <summary>Gets the parse whose result has not been taken, or <see langword="null"/> if there is none. The task never fails.</summary>
    public Task? Running => _parse;

    /// <summary>Gets a value that indicates whether tokens were added since the last parse began.</summary>
    public bool HasNew => _parsedCount < _tokens.Count;

    /// <summary>Adds a token. No parse may be running.</summary>
    public void Add(in GeneratedToken token) => _tokens.Add(token);

    /// <summary>Begins to parse what was added so far, if there is anything new. No parse may be running.</summary>
    public void StartIfNew()
    {
        if (HasNew)
        {
            Begin(Advance);
        }
    }

    /// <summary>Begins to parse the whole answer. No parse may be running, and no token may follow.</summary>
    /// <param name="isCut"><see langword="true"/> if the answer was cut off.</param>
    public void StartLast(bool isCut) => Begin(first => Finish(first, isCut));

    /// <summary>Takes the result of the parse, which has ended.</summary>
    /// <param name="message">Receives the whole answer if this was the last parse; otherwise, <see langword="null"/>.</param>
    /// <returns>
    /// What was added to the answer since the previous update, with its tokens. If nothing was added, the tokens are part of the next update.
    /// </returns>
    /// <exception cref="FormatException">The answer does not have the format that the template requires.</exception>
    public ChatUpdate Take(out ChatMessage? message)
    {
        Result result = _parse!.GetAwaiter().GetResult();
        _parse = null;
        result.Failure?.Throw();
        message = result.Message;
        if (!result.Update.IsEmpty || message is not null)
        {
            _tokens.Clear();
            _parsedCount = 0;
        }

        return result.Update;
    }

    private void Begin(Func<int, Result> parse)
    {
        int first = _parsedCount;
        _parsedCount = _tokens.Count;
        _parse = Task.Run(() =>
        {
            try
            {
                return parse(first);
            }
            catch (Exception exception)
            {
                // If nobody reads on, nobody would observe the exception of the task.
                return new Result(ChatUpdate.Empty, null, ExceptionDispatchInfo.Capture(exception));
            }
        });
    }

    private Result Advance(int first)
    {
        Append(first);
        ChatUpdate update = _reader.Advance();
        return new Result(update.IsEmpty ? update : update with { Tokens = [.. _tokens] }, null, null);
    }

    private Result Finish(int first, bool isCut)
    {
        Append(first);
        ChatMessage message = _reader.Finish(out ChatUpdate update, isCut);
        return new Result(update with { Tokens = [.. _tokens] }, message, null);
    }

    private void Append(int first)
    {
        for (int i = first; i < _tokens.Count; i++)
        {
            _reader.Append(_tokens[i].Utf8.Span);
        }
    }

    private sealed record Result(ChatUpdate Update, ChatMessage? Message, ExceptionDispatchInfo? Failure);
}
