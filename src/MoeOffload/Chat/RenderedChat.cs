using System.Text;
using System.Text.Json;
using MoeOffload.Inference.Grammars;
using MoeOffload.Inference.Sampling;
using MoeOffload.Native;
using MoeOffload.Shared;

namespace MoeOffload.Chat;

/// <summary>Represents a chat that is rendered to a prompt, together with the constraints and the parser of its answer.</summary>
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

    /// <summary>Gets the prompt, without the beginning-of-sequence token if the vocabulary adds it.</summary>
    public string Prompt { get; }

    /// <summary>Gets the grammar that the answer must follow, in GBNF, or <see langword="null"/> if the answer is not constrained.</summary>
    public string? Grammar { get; }

    /// <summary>Gets a value that indicates whether the grammar applies only after the model starts a tool call.</summary>
    public bool IsGrammarLazy { get; }

    /// <summary>Gets the special tokens that are kept in the text of the answer because its format consists of them.</summary>
    public IReadOnlyList<string> PreservedTokens { get; }

    /// <summary>Gets the strings that end the answer.</summary>
    public IReadOnlyList<string> StopStrings { get; }

    /// <summary>Gets the output format that the answer must have.</summary>
    internal OutputFormat Format => new(Grammar is null ? null : _json, PreservedTokens);

    /// <summary>Parses an answer. Blocks for a time that grows with the answer; see <see cref="ParseAnswerAsync"/>.</summary>
    /// <param name="answer">The text of the answer, including <see cref="PreservedTokens"/>.</param>
    /// <exception cref="FormatException">The answer does not have the format that the template requires.</exception>
    public ChatMessage ParseAnswer(string answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var reader = new ChatAnswerReader(this);
        reader.Append(Encoding.UTF8.GetBytes(answer));
        return reader.Finish(out _);
    }

    /// <summary>Parses an answer without blocking the caller.</summary>
    /// <param name="answer">The text of the answer, including <see cref="PreservedTokens"/>.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The parser itself continues, and its result is discarded.</param>
    /// <inheritdoc cref="ParseAnswer" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<ChatMessage> ParseAnswerAsync(string answer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return BackgroundCall.ComputeAsync(() => ParseAnswer(answer), cancellationToken);
    }

    /// <summary>Creates the parser of answers in advance, instead of when the first answer is read.</summary>
    internal void PrepareParser() => _ = _parser.Value;

    /// <summary>Parses an answer, or the beginning of one.</summary>
    internal bool TryRead(ReadOnlyMemory<byte> answer, int nesting, bool isPartial, out byte[] message) =>
        NativeChat.TryParseAnswer(_parser.Value, answer, nesting, isPartial, out message);

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
            throw new ArgumentException($"The schemas of the tools or of the response result in a grammar that is not valid: {error.Message}.", error);
        }
    }
}
