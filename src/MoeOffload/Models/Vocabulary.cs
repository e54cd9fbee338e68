using System.Text;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>A model's vocabulary: text to tokens and back. Safe to use from several threads at once.</summary>
public sealed class Vocabulary
{
    private readonly LoadedModel _model;

    internal Vocabulary(LoadedModel model)
    {
        _model = model;
        NativeVocabulary native = model.Native.Vocabulary;
        Size = native.Size;
        BeginningOfSequence = OrNull(native.BeginningOfSequence);
        EndOfSequence = OrNull(native.EndOfSequence);
        EndOfTurn = OrNull(native.EndOfTurn);
        NewLine = OrNull(native.NewLine);
        Padding = OrNull(native.Padding);
        AddsBeginningOfSequence = native.AddsBeginningOfSequence;
        AddsEndOfSequence = native.AddsEndOfSequence;
    }

    /// <summary>Number of tokens.</summary>
    public int Size { get; }

    /// <summary>The token that begins a sequence, where the model has one.</summary>
    public int? BeginningOfSequence { get; }

    /// <summary>The token that ends a sequence, where the model has one.</summary>
    public int? EndOfSequence { get; }

    /// <summary>The token that ends a turn of a chat, where the model has one.</summary>
    public int? EndOfTurn { get; }

    /// <summary>The token of a line break, where there is one.</summary>
    public int? NewLine { get; }

    /// <summary>The padding token, where there is one.</summary>
    public int? Padding { get; }

    /// <summary>Whether prompts get a <see cref="BeginningOfSequence"/>.</summary>
    public bool AddsBeginningOfSequence { get; }

    /// <summary>Whether prompts get an <see cref="EndOfSequence"/>.</summary>
    public bool AddsEndOfSequence { get; }

    /// <summary>Turns text into tokens, as llama.cpp does. Blocks for a time that grows with the text: about a second for each MiB.</summary>
    /// <param name="text">The text. An unpaired surrogate is taken as U+FFFD.</param>
    /// <param name="addSpecial">Whether to add the tokens that the model wants at the beginning and end.</param>
    /// <param name="parseSpecial">Whether texts of special tokens become those tokens; false takes them literally.</param>
    /// <exception cref="ArgumentException">The text has a run of more than 2^20 characters without, or of nothing but, white space.</exception>
    /// <exception cref="InferenceException">llama.cpp refused the text: bytes that encode a code point beyond U+10FFFF.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public int[] Tokenize(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Tokenize(Encoding.UTF8.GetBytes(text), addSpecial, parseSpecial);
    }

    /// <inheritdoc cref="Tokenize(string, bool, bool)"/>
    /// <param name="utf8">The text as UTF-8. Invalid bytes are taken as they are, or as U+FFFD by byte-level vocabularies.</param>
    /// <param name="addSpecial">Whether to add the tokens that the model wants at the beginning and end.</param>
    /// <param name="parseSpecial">Whether texts of special tokens become those tokens; false takes them literally.</param>
    public int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial = true, bool parseSpecial = false)
    {
        using LoadedModel.Use use = _model.Enter();
        return _model.Native.Vocabulary.Tokenize(utf8, addSpecial, parseSpecial);
    }

    /// <summary>Turns tokens into text. Blocks for a time that grows with the number of tokens.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="removeSpecial">Whether to leave out the special tokens at the beginning and end.</param>
    /// <param name="renderSpecial">Whether special tokens appear as their texts.</param>
    /// <returns>The text as UTF-8; invalid where the tokens' bytes are.</returns>
    /// <remarks>
    /// As llama.cpp's <c>llama_detokenize</c>: without the space that some vocabularies put before a text, unless
    /// <paramref name="removeSpecial"/> took a token there, and with those vocabularies' tidying that have it: no space before
    /// punctuation. Generated text is not tidied.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A token is outside the vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public byte[] DetokenizeToUtf8(ReadOnlySpan<int> tokens, bool removeSpecial = false, bool renderSpecial = false)
    {
        using LoadedModel.Use use = _model.Enter();
        return _model.Native.Vocabulary.Detokenize(tokens, removeSpecial, renderSpecial);
    }

    /// <inheritdoc cref="DetokenizeToUtf8"/>
    /// <returns>The text; bytes that are no UTF-8 read as U+FFFD.</returns>
    public string Detokenize(ReadOnlySpan<int> tokens, bool removeSpecial = false, bool renderSpecial = false) =>
        Encoding.UTF8.GetString(DetokenizeToUtf8(tokens, removeSpecial, renderSpecial));

    /// <summary>The bytes that a token adds to a text, special tokens as their texts; not always whole code points.</summary>
    /// <param name="token">The token.</param>
    /// <exception cref="ArgumentOutOfRangeException">The token is outside the vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public ReadOnlyMemory<byte> GetPiece(int token)
    {
        Check(token);
        using LoadedModel.Use use = _model.Enter();
        return _model.Pieces(special: true)[token];
    }

    /// <summary>Whether a token ends a generation.</summary>
    /// <param name="token">The token.</param>
    /// <exception cref="ArgumentOutOfRangeException">The token is outside the vocabulary.</exception>
    public bool IsEndOfGeneration(int token)
    {
        Check(token);
        using LoadedModel.Use use = _model.Enter();
        return _model.Native.Vocabulary.IsEndOfGeneration(token);
    }

    /// <summary>Whether a token is a control token, which has no text of its own.</summary>
    /// <param name="token">The token.</param>
    /// <exception cref="ArgumentOutOfRangeException">The token is outside the vocabulary.</exception>
    public bool IsControl(int token)
    {
        Check(token);
        using LoadedModel.Use use = _model.Enter();
        return _model.Native.Vocabulary.IsControl(token);
    }

    private static int? OrNull(int token) => token < 0 ? null : token;

    private void Check(int token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, Size);
    }
}
