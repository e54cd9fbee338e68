namespace MoeOffload.Measurement.Synthesis;

/// <summary>Represents the layout of a published model's vocabulary, without its texts.</summary>
internal sealed record VocabularyLayout
{
    /// <summary>Gets llama.cpp's name for the kind of tokenizer: <c>gpt2</c> for byte-level BPE, <c>llama</c> for SentencePiece.</summary>
    public required string Model { get; init; }

    /// <summary>Gets llama.cpp's name for the pretokenizer, which splits a text into words.</summary>
    public required string Pre { get; init; }

    /// <summary>Gets the number of tokens, which is also the number of rows in the embedding.</summary>
    public required int Size { get; init; }

    /// <summary>Gets the special tokens. Tokens before the first one are texts.</summary>
    public required IReadOnlyDictionary<int, string> Special { get; init; }

    /// <summary>Gets the name of unnamed tokens after the first special token, where # stands for the number of the token.</summary>
    public required string Unnamed { get; init; }

    public required int BeginId { get; init; }

    public required int EndId { get; init; }

    public required int PaddingId { get; init; }

    /// <summary>Gets a value that indicates whether <see cref="BeginId"/> is added at the beginning of each text.</summary>
    public required bool AddsBegin { get; init; }

    /// <summary>Gets a short Jinja template in the format of the published model.</summary>
    public required string ChatTemplate { get; init; }

    /// <summary>Gets the number of tokens before the first special token, which are texts.</summary>
    public int TextCount => Special.Keys.Where(id => id > 2).Min();
}
