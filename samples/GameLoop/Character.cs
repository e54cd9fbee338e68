using MoeOffload;
using MoeOffload.Chat;

namespace GameLoop;

/// <summary>Represents a character that talks. The game reads new tokens once per frame; another thread starts the next line.</summary>
internal sealed class Character(GenerationSession session, ChatTemplate template, string question)
{
    private const int TokensPerFrame = 4;
    private const int TokensPerLine = 300;

    private readonly byte[] _bubble = new byte[4096];
    private int _length;
    private Line? _line;
    private Line? _next;
    private Line? _spent;
    private int _lineCount;

    /// <summary>Gets the number of tokens read so far.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Gets the latest text, as UTF-8.</summary>
    public ReadOnlySpan<byte> Bubble => _bubble.AsSpan(0, _length);

    /// <summary>Reads the tokens that are available, without waiting. Called once per frame.</summary>
    public void Update()
    {
        if (_line is null || _line.Stream.IsCompleted)
        {
            TakeNext();
        }

        for (int i = 0; i < TokensPerFrame && _line is not null && _line.Stream.TryRead(out GeneratedToken token); i++)
        {
            Take(token);
        }
    }

    /// <summary>Prepares the next line. Called on the writer's thread, so that no frame tokenizes a prompt or starts a generation.</summary>
    public void Write()
    {
        Interlocked.Exchange(ref _spent, null)?.Stream.Dispose();
        if (Volatile.Read(ref _next) is null)
        {
            // The template of the model makes a prompt of the question. A ChatStream would do the same, and parse the answer, which allocates.
            RenderedChat chat = template.Render([ChatMessage.User(question)]);
            TokenStream stream = session.GenerateAsync(new GenerationRequest
            {
                Prompt = chat.Prompt,
                StopStrings = chat.StopStrings,
                Sampling = new SamplingOptions { Seed = (uint)++_lineCount },
                MaxTokens = TokensPerLine,
            });
            Volatile.Write(ref _next, new Line(stream, stream.TryRead(out GeneratedToken first) ? first : null));
        }
    }

    /// <summary>Stops the current line.</summary>
    public void Stop()
    {
        _line?.Stream.Dispose();
        _next?.Stream.Dispose();
        _spent?.Stream.Dispose();
    }

    private void TakeNext()
    {
        if (Volatile.Read(ref _next) is { } next)
        {
            Volatile.Write(ref _spent, _line);
            _line = next;
            Volatile.Write(ref _next, null);
            _length = 0;
            if (next.First is { } first)
            {
                Take(first);
            }
        }
    }

    private void Take(in GeneratedToken token)
    {
        TokenCount++;
        Append(token.Utf8.Span);
    }

    private void Append(ReadOnlySpan<byte> text)
    {
        if (text.Length > _bubble.Length - _length)
        {
            _length = 0;
        }

        text.CopyTo(_bubble.AsSpan(_length));
        _length += text.Length;
    }

    /// <summary>Represents a generation that has started, with the token that was available immediately, if any.</summary>
    private sealed record Line(TokenStream Stream, GeneratedToken? First);
}
