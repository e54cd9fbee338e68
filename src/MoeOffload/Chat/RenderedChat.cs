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
    private readonly byte[] _constraint;
    private readonly Lazy<ChatParserHandle> _parser;

    /// <param name="json">The result of the native library.</param>
    /// <param name="prompt">The prompt, or <see langword="null"/> if it is the one of the result.</param>
    /// <param name="continued">The message that the answer continues, or <see langword="null"/>.</param>
    /// <param name="grammar">The grammar of the answer, or <see langword="null"/> if it is the one of the result.</param>
    /// <param name="hasPlainCalls">Whether the content of the answer is a call, as JSON.</param>
    internal RenderedChat(byte[] json, string? prompt, ChatMessage? continued = null, string? grammar = null, bool hasPlainCalls = false)
    {
        _json = json;
        HasPlainCalls = hasPlainCalls;
        Continued = continued;
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        Prompt = prompt ?? root.GetProperty("prompt").GetString()!;
        Grammar = grammar ?? OwnGrammar(root);
        IsGrammarLazy = grammar is null && root.GetProperty("grammar_lazy").GetBoolean();
        _constraint = grammar is null ? json : WithGrammar(root, grammar);
        PreservedTokens = Texts(root.GetProperty("preserved_tokens"));
        StopStrings = Texts(root.GetProperty("additional_stops"));
        CheckGrammar();
        _parser = new Lazy<ChatParserHandle>(() => NativeChat.MakeParser(json));
    }

    /// <summary>Gets the prompt, without the beginning-of-sequence token if the vocabulary adds it.</summary>
    public string Prompt { get; }

    /// <summary>
    /// Gets the images of the chat, by the text that stands for each in <see cref="Prompt"/>, for <see cref="GenerationRequest.Images"/>.
    /// </summary>
    public IReadOnlyDictionary<string, PromptImage> Images { get; internal set; } = new Dictionary<string, PromptImage>();

    /// <summary>Gets the grammar that the answer must follow, in GBNF, or <see langword="null"/> if the answer is not constrained.</summary>
    public string? Grammar { get; }

    /// <summary>Gets a value that indicates whether the grammar applies only after the model starts a tool call.</summary>
    public bool IsGrammarLazy { get; }

    /// <summary>Gets the special tokens that are kept in the text of the answer because its format consists of them.</summary>
    public IReadOnlyList<string> PreservedTokens { get; }

    /// <summary>Gets the strings that end the answer.</summary>
    public IReadOnlyList<string> StopStrings { get; }

    /// <summary>Gets the message that the answer continues, or <see langword="null"/> if it is a new one.</summary>
    internal ChatMessage? Continued { get; }

    /// <summary>Gets the output format that the answer must have.</summary>
    internal OutputFormat Format => new(Grammar is null ? null : _constraint, PreservedTokens);

    /// <summary>
    /// Gets or sets the text of the token that ends a sequence. llama.cpp takes it for a part of some formats of calls, although it is never a
    /// part of an answer.
    /// </summary>
    internal string EndToken { get; set; } = string.Empty;

    /// <summary>Gets a value that indicates whether the content of the answer is a call, as JSON, because the template has no form of calls.</summary>
    internal bool HasPlainCalls { get; }

    /// <summary>Gets the result of the native library.</summary>
    internal byte[] Json => _json;

    /// <summary>Creates the chat whose answer continues a message, from the chat before that message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="shown">The prompt with the message, in which a mark takes the place of its content.</param>
    /// <param name="mark">The mark.</param>
    internal RenderedChat Continue(ChatMessage message, string shown, string mark)
    {
        using JsonDocument document = JsonDocument.Parse(_json);
        string generation = document.RootElement.GetProperty("generation_prompt").GetString()!;
        int at = shown.LastIndexOf(mark, StringComparison.Ordinal);

        // A template that does not show the message gets its content after the beginning of an answer.
        string prompt = (at < 0 ? Prompt : shown[..at]) + message.Content;
        int begin = BeginOf(generation, prompt);
        byte[] json = Edit(document.RootElement, "prompt generation_prompt", writer =>
        {
            writer.WriteString("prompt", prompt);
            writer.WriteString("generation_prompt", begin < 0 ? string.Empty : prompt[begin..]);
        });
        return new RenderedChat(json, prompt, begin < 0 ? null : message, Grammar == OwnGrammar(document.RootElement) ? null : Grammar, HasPlainCalls);
    }

    /// <summary>Creates the same chat with another grammar, which describes the answer without the end of the prompt.</summary>
    internal RenderedChat WithGrammar(string grammar, bool hasPlainCalls = false) => new(_json, Prompt, Continued, grammar, hasPlainCalls);

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

    // The beginning of an answer can end in another way than that of an earlier one, for example without reasoning.
    private static int BeginOf(string header, string prompt)
    {
        const int Shortest = 3;
        for (int length = header.Length; length >= Shortest; length--)
        {
            if (prompt.LastIndexOf(header[..length], StringComparison.Ordinal) is >= 0 and var begin)
            {
                return begin;
            }
        }

        return -1;
    }

    private static byte[] WithGrammar(JsonElement rendered, string grammar) => Edit(rendered, "grammar grammar_lazy generation_prompt", json =>
    {
        json.WriteString("grammar", grammar);
        json.WriteBoolean("grammar_lazy", false);
        json.WriteString("generation_prompt", string.Empty);
    });

    private static byte[] Edit(JsonElement rendered, string names, Action<Utf8JsonWriter> write)
    {
        string[] replaced = names.Split(' ');
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            write(json);
            foreach (JsonProperty property in rendered.EnumerateObject().Where(property => !replaced.Contains(property.Name)))
            {
                property.WriteTo(json);
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static string? OwnGrammar(JsonElement rendered) => rendered.GetProperty("grammar").GetString() is { Length: > 0 } grammar ? grammar : null;

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
