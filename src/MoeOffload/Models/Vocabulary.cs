using System.Text;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Shared;

namespace MoeOffload;

/// <summary>
/// Represents a model's vocabulary, which converts text to tokens and back. It can be used from several threads at once. That of a loaded
/// model is <see cref="LoadedModel.Vocabulary"/>, and <see cref="Load"/> loads one without the weights of its model.
/// </summary>
public sealed class Vocabulary : IDisposable
{
    private readonly ModelAccess _model;
    private readonly bool _isOwned;

    /// <param name="model">The native model.</param>
    /// <param name="isOwned">Whether the vocabulary was loaded alone, so that its memory is freed with it.</param>
    internal Vocabulary(ModelAccess model, bool isOwned)
    {
        _model = model;
        _isOwned = isOwned;
        NativeVocabulary native = model.Native.Vocabulary;
        Size = native.Size;
        BeginningOfSequence = OrNull(native.BeginningOfSequence);
        EndOfSequence = OrNull(native.EndOfSequence);
        EndOfTurn = OrNull(native.EndOfTurn);
        NewLine = OrNull(native.NewLine);
        Padding = OrNull(native.Padding);
        FillPrefix = OrNull(native.FillPrefix);
        FillSuffix = OrNull(native.FillSuffix);
        FillMiddle = OrNull(native.FillMiddle);
        FillRepository = OrNull(native.FillRepository);
        FillSeparator = OrNull(native.FillSeparator);
        AddsBeginningOfSequence = native.AddsBeginningOfSequence;
        AddsEndOfSequence = native.AddsEndOfSequence;
    }

    /// <summary>Gets the number of tokens.</summary>
    public int Size { get; }

    /// <summary>Gets the token that begins a sequence, or <see langword="null"/> if the model has none.</summary>
    public int? BeginningOfSequence { get; }

    /// <summary>Gets the token that ends a sequence, or <see langword="null"/> if the model has none.</summary>
    public int? EndOfSequence { get; }

    /// <summary>Gets the token that ends a turn of a chat, or <see langword="null"/> if the model has none.</summary>
    public int? EndOfTurn { get; }

    /// <summary>Gets the token for a line break, or <see langword="null"/> if there is none.</summary>
    public int? NewLine { get; }

    /// <summary>Gets the padding token, or <see langword="null"/> if there is none.</summary>
    public int? Padding { get; }

    /// <summary>
    /// Gets the token before the text that precedes the middle of a fill-in-the-middle prompt, or <see langword="null"/> if the model has
    /// none.
    /// </summary>
    public int? FillPrefix { get; }

    /// <summary>
    /// Gets the token before the text that follows the middle of a fill-in-the-middle prompt, or <see langword="null"/> if the model has
    /// none.
    /// </summary>
    public int? FillSuffix { get; }

    /// <summary>Gets the token after which the model generates the middle, or <see langword="null"/> if the model has none.</summary>
    public int? FillMiddle { get; }

    /// <summary>Gets the token before the name of a repository, or <see langword="null"/> if the model has none.</summary>
    public int? FillRepository { get; }

    /// <summary>Gets the token before the name of another file, or <see langword="null"/> if the model has none.</summary>
    public int? FillSeparator { get; }

    /// <summary>Gets a value that indicates whether <see cref="BeginningOfSequence"/> is added to prompts.</summary>
    public bool AddsBeginningOfSequence { get; }

    /// <summary>Gets a value that indicates whether <see cref="EndOfSequence"/> is added to prompts.</summary>
    public bool AddsEndOfSequence { get; }

    /// <summary>
    /// Loads a vocabulary without the weights of its model, which takes little time and memory. The file can be a model, the first part of a
    /// split model without the others, or a file that has nothing but a vocabulary. Blocks while the file is read; see
    /// <see cref="LoadAsync"/>.
    /// </summary>
    /// <param name="path">The path of a GGUF file.</param>
    /// <param name="options">
    /// Specifies <see cref="ModelOptions.NativeLibraryDirectory"/>, <see cref="ModelOptions.LoggerFactory"/> and
    /// <see cref="ModelOptions.MetadataOverrides"/>; the other options have no effect. <see langword="null"/> uses the defaults.
    /// </param>
    /// <returns>The vocabulary, which must be disposed.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="IOException">
    /// The file cannot be read, is a directory, or does not exist (<see cref="FileNotFoundException"/>).
    /// </exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    /// <exception cref="GgufFormatException">The file is damaged, or has no vocabulary.</exception>
    /// <exception cref="NativeLibraryException">The native libraries are missing or have a different version.</exception>
    /// <exception cref="ModelLoadException">llama.cpp rejected the vocabulary, for example because it does not know its architecture.</exception>
    public static Vocabulary Load(string path, ModelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        NativeModel native = VocabularyLoader.Load(path, options ?? new ModelOptions());
        try
        {
            return new Vocabulary(new ModelAccess(native, typeof(Vocabulary)), isOwned: true);
        }
        catch
        {
            native.Dispose();
            throw;
        }
    }

    /// <summary>Loads a vocabulary without the weights of its model, and without blocking the caller.</summary>
    /// <param name="path">The path of a GGUF file.</param>
    /// <param name="options">
    /// Specifies <see cref="ModelOptions.NativeLibraryDirectory"/>, <see cref="ModelOptions.LoggerFactory"/> and
    /// <see cref="ModelOptions.MetadataOverrides"/>; the other options have no effect. <see langword="null"/> uses the defaults.
    /// </param>
    /// <param name="cancellationToken">
    /// A token that cancels the wait. If the vocabulary is already being loaded, it is disposed as soon as it exists.
    /// </param>
    /// <inheritdoc cref="Load" path="/returns"/>
    /// <inheritdoc cref="Load" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task<Vocabulary> LoadAsync(string path, ModelOptions? options = null, CancellationToken cancellationToken = default) =>
        BackgroundCall.RunAsync(() => Load(path, options), cancellationToken);

    /// <summary>
    /// Frees the memory of a vocabulary that was loaded with <see cref="Load"/>. It has no effect on the vocabulary of a model, which is
    /// freed with the model.
    /// </summary>
    public void Dispose()
    {
        if (_isOwned)
        {
            _model.Close();
        }
    }

    /// <summary>
    /// Converts text to tokens, as llama.cpp does. Blocks for about a second for each MiB of text; see
    /// <see cref="TokenizeAsync(string, bool, bool, CancellationToken)"/>.
    /// </summary>
    /// <param name="text">The text. An unpaired surrogate is replaced by U+FFFD.</param>
    /// <param name="addSpecial"><see langword="true"/> to add the model's special tokens at the beginning and end.</param>
    /// <param name="parseSpecial"><see langword="true"/> to convert the texts of special tokens to these tokens; otherwise, they are ordinary text.</param>
    /// <returns>The tokens.</returns>
    /// <exception cref="ArgumentException">The text contains more than 2^20 characters in a row without, or of nothing but, white space.</exception>
    /// <exception cref="InferenceException">llama.cpp rejected the text, since its bytes encode a code point beyond U+10FFFF.</exception>
    /// <exception cref="ObjectDisposedException">The model or the vocabulary has been disposed.</exception>
    public int[] Tokenize(string text, bool addSpecial = true, bool parseSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Tokenize(Encoding.UTF8.GetBytes(text), addSpecial, parseSpecial);
    }

    /// <inheritdoc cref="Tokenize(string, bool, bool)" path="/summary"/>
    /// <inheritdoc cref="Tokenize(string, bool, bool)" path="/returns"/>
    /// <inheritdoc cref="Tokenize(string, bool, bool)" path="/exception"/>
    /// <param name="utf8">The text as UTF-8. Invalid bytes are kept as they are, or replaced by U+FFFD in byte-level vocabularies.</param>
    /// <param name="addSpecial"><see langword="true"/> to add the model's special tokens at the beginning and end.</param>
    /// <param name="parseSpecial"><see langword="true"/> to convert the texts of special tokens to these tokens; otherwise, they are ordinary text.</param>
    public int[] Tokenize(ReadOnlySpan<byte> utf8, bool addSpecial = true, bool parseSpecial = false)
    {
        using ModelAccess.Use use = _model.Enter();
        return _model.Native.Vocabulary.Tokenize(utf8, addSpecial, parseSpecial);
    }

    /// <summary>Converts text to tokens, as llama.cpp does, without blocking the caller.</summary>
    /// <param name="text">The text. An unpaired surrogate is replaced by U+FFFD.</param>
    /// <param name="addSpecial"><see langword="true"/> to add the model's special tokens at the beginning and end.</param>
    /// <param name="parseSpecial"><see langword="true"/> to convert the texts of special tokens to these tokens; otherwise, they are ordinary text.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The conversion itself continues, and its result is discarded.</param>
    /// <inheritdoc cref="Tokenize(string, bool, bool)" path="/returns"/>
    /// <inheritdoc cref="Tokenize(string, bool, bool)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<int[]> TokenizeAsync(string text, bool addSpecial = true, bool parseSpecial = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return BackgroundCall.ComputeAsync(() => Tokenize(text, addSpecial, parseSpecial), cancellationToken);
    }

    /// <inheritdoc cref="TokenizeAsync(string, bool, bool, CancellationToken)" path="/summary"/>
    /// <inheritdoc cref="TokenizeAsync(string, bool, bool, CancellationToken)" path="/returns"/>
    /// <inheritdoc cref="TokenizeAsync(string, bool, bool, CancellationToken)" path="/exception"/>
    /// <param name="utf8">
    /// The text as UTF-8, which must not change until the task completes. Invalid bytes are kept as they are, or replaced by U+FFFD in
    /// byte-level vocabularies.
    /// </param>
    /// <param name="addSpecial"><see langword="true"/> to add the model's special tokens at the beginning and end.</param>
    /// <param name="parseSpecial"><see langword="true"/> to convert the texts of special tokens to these tokens; otherwise, they are ordinary text.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The conversion itself continues, and its result is discarded.</param>
    public Task<int[]> TokenizeAsync(
        ReadOnlyMemory<byte> utf8, bool addSpecial = true, bool parseSpecial = false, CancellationToken cancellationToken = default) =>
        BackgroundCall.ComputeAsync(() => Tokenize(utf8.Span, addSpecial, parseSpecial), cancellationToken);

    /// <summary>
    /// Converts tokens to UTF-8 text. Blocks for a time that is proportional to the number of tokens; see
    /// <see cref="DetokenizeToUtf8Async"/>.
    /// </summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="removeSpecial"><see langword="true"/> to omit the special tokens at the beginning and end.</param>
    /// <param name="renderSpecial"><see langword="true"/> to include the texts of special tokens.</param>
    /// <returns>The text as UTF-8, which is not valid if the tokens' bytes are not.</returns>
    /// <remarks>
    /// This method works like llama.cpp's <c>llama_detokenize</c>. It omits the space that some vocabularies put before a text, unless
    /// <paramref name="removeSpecial"/> removed a token there. For vocabularies that specify it, it removes spaces before punctuation, which
    /// generation does not do.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A token is outside the vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model or the vocabulary has been disposed.</exception>
    public byte[] DetokenizeToUtf8(ReadOnlySpan<int> tokens, bool removeSpecial = false, bool renderSpecial = false)
    {
        using ModelAccess.Use use = _model.Enter();
        return _model.Native.Vocabulary.Detokenize(tokens, removeSpecial, renderSpecial);
    }

    /// <summary>Converts tokens to UTF-8 text without blocking the caller.</summary>
    /// <param name="tokens">The tokens, which must not change until the task completes.</param>
    /// <param name="removeSpecial"><see langword="true"/> to omit the special tokens at the beginning and end.</param>
    /// <param name="renderSpecial"><see langword="true"/> to include the texts of special tokens.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The conversion itself continues, and its result is discarded.</param>
    /// <inheritdoc cref="DetokenizeToUtf8" path="/returns"/>
    /// <inheritdoc cref="DetokenizeToUtf8" path="/remarks"/>
    /// <inheritdoc cref="DetokenizeToUtf8" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<byte[]> DetokenizeToUtf8Async(
        ReadOnlyMemory<int> tokens, bool removeSpecial = false, bool renderSpecial = false, CancellationToken cancellationToken = default) =>
        BackgroundCall.ComputeAsync(() => DetokenizeToUtf8(tokens.Span, removeSpecial, renderSpecial), cancellationToken);

    /// <summary>
    /// Converts tokens to text. Blocks for a time that is proportional to the number of tokens; see <see cref="DetokenizeAsync"/>.
    /// </summary>
    /// <inheritdoc cref="DetokenizeToUtf8" path="/param"/>
    /// <inheritdoc cref="DetokenizeToUtf8" path="/remarks"/>
    /// <inheritdoc cref="DetokenizeToUtf8" path="/exception"/>
    /// <returns>The text. Bytes that are not valid UTF-8 are replaced by U+FFFD.</returns>
    public string Detokenize(ReadOnlySpan<int> tokens, bool removeSpecial = false, bool renderSpecial = false) =>
        Encoding.UTF8.GetString(DetokenizeToUtf8(tokens, removeSpecial, renderSpecial));

    /// <summary>Converts tokens to text without blocking the caller.</summary>
    /// <inheritdoc cref="DetokenizeToUtf8Async" path="/param"/>
    /// <inheritdoc cref="DetokenizeToUtf8Async" path="/remarks"/>
    /// <inheritdoc cref="DetokenizeToUtf8Async" path="/exception"/>
    /// <returns>The text. Bytes that are not valid UTF-8 are replaced by U+FFFD.</returns>
    public Task<string> DetokenizeAsync(
        ReadOnlyMemory<int> tokens, bool removeSpecial = false, bool renderSpecial = false, CancellationToken cancellationToken = default) =>
        BackgroundCall.ComputeAsync(() => Detokenize(tokens.Span, removeSpecial, renderSpecial), cancellationToken);

    /// <summary>Gets the bytes that a token adds to a text, or the text of a special token.</summary>
    /// <param name="token">The token.</param>
    /// <returns>The bytes, which are not always whole code points.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The token is outside the vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model or the vocabulary has been disposed.</exception>
    public ReadOnlyMemory<byte> GetPiece(int token)
    {
        Check(token);
        using ModelAccess.Use use = _model.Enter();
        return _model.Pieces(special: true)[token];
    }

    /// <summary>Determines whether a token ends a generation.</summary>
    /// <param name="token">The token.</param>
    /// <returns><see langword="true"/> if the token ends a generation; otherwise, <see langword="false"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The token is outside the vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model or the vocabulary has been disposed.</exception>
    public bool IsEndOfGeneration(int token)
    {
        Check(token);
        using ModelAccess.Use use = _model.Enter();
        return _model.Native.Vocabulary.IsEndOfGeneration(token);
    }

    /// <summary>Determines whether a token is a control token, which has no text of its own.</summary>
    /// <param name="token">The token.</param>
    /// <returns><see langword="true"/> if the token is a control token; otherwise, <see langword="false"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The token is outside the vocabulary.</exception>
    /// <exception cref="ObjectDisposedException">The model or the vocabulary has been disposed.</exception>
    public bool IsControl(int token)
    {
        Check(token);
        using ModelAccess.Use use = _model.Enter();
        return _model.Native.Vocabulary.IsControl(token);
    }

    private static int? OrNull(int token) => token < 0 ? null : token;

    private void Check(int token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(token);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, Size);
    }
}
