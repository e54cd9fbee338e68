using System.Text;
using System.Text.Json;
using MoeOffload.Inference.Grammars;
using MoeOffload.Inference.Sampling;
using MoeOffload.Native;

namespace MoeOffload.Chat;

/// <summary>A chat as the prompt that a model continues, and how its answer is constrained and read.</summary>
public sealed class RenderedChat
{
    private readonly byte[] _json;
    private readonly Lazy<ChatParserHandle> _parser;

    internal RenderedChat(byte[] json, string? prompt)
    {
        _json = json;
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        Prompt = prompt ?? root.GetProperty("prompt").GetString()!;
        Grammar = root.GetProperty("grammar").GetString() is { Length: > 0 } grammar ? grammar : null;
        IsGrammarLazy = root.GetProperty("grammar_lazy").GetBoolean();
        PreservedTokens = Texts(root.GetProperty("preserved_tokens"));
        StopStrings = Texts(root.GetProperty("additional_stops"));
        CheckGrammar();
        _parser = new Lazy<ChatParserHandle>(() => NativeChat.MakeParser(json));
    }

    /// <summary>The prompt. A beginning-of-sequence token that the vocabulary adds by itself is not in it.</summary>
    public string Prompt { get; }

    /// <summary>The grammar that the answer follows, in GBNF; null where it is free.</summary>
    public string? Grammar { get; }

    /// <summary>Whether the grammar holds only once the model begins to call a tool.</summary>
    public bool IsGrammarLazy { get; }

    /// <summary>Special tokens that are part of the answer's text, since its format is made of them.</summary>
    public IReadOnlyList<string> PreservedTokens { get; }

    /// <summary>Texts that end the answer.</summary>
    public IReadOnlyList<string> StopStrings { get; }

    /// <summary>Gets the format that the answer is held to.</summary>
    internal OutputFormat Format => new(Grammar is null ? null : _json, PreservedTokens);

    /// <summary>Reads an answer. Blocks for a time that grows with it.</summary>
    /// <param name="answer">The answer's text, <see cref="PreservedTokens"/> in it.</param>
    /// <exception cref="FormatException">The answer has not the format that the template asks for.</exception>
    public ChatMessage ReadAnswer(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var reader = new ChatAnswerReader(this);
        reader.Append(Encoding.UTF8.GetBytes(answer));
        return reader.Finish(out _);
    }

    /// <summary>Makes the parser of answers now, and not when the first answer is read.</summary>
    internal void PrepareParser() => _ = _parser.Value;

    /// <summary>Reads an answer, or the beginning of one.</summary>
    internal bool TryRead(ReadOnlyMemory<byte> answer, int nesting, bool isPartial, out byte[] message) =>
        NativeChat.TryReadAnswer(_parser.Value, answer, nesting, isPartial, out message);

    private static string[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(text => text.GetString()!)];

    private void CheckGrammar()
    {
        if (Grammar is null)
        {
            return;
        }

        try
        {
            GrammarCheck.Check(Grammar, "root");
        }
        catch (FormatException error)
        {
            throw new ArgumentException($"The grammar that the schemas of the tools or of the response come to cannot be used: {error.Message}.", error);
        }
    }
}
