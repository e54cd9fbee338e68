namespace MoeOffload.Measurement.Synthesis;

/// <summary>What is true of a published model's vocabulary, whose texts themselves are not here.</summary>
internal sealed record VocabularyLayout
{
    /// <summary>llama.cpp's name of the kind of tokenizer: <c>gpt2</c> for byte-level BPE, <c>llama</c> for SentencePiece.</summary>
    public required string Model { get; init; }

    /// <summary>llama.cpp's name of the rules that split a text into words.</summary>
    public required string Pre { get; init; }

    /// <summary>Tokens in all, as many as rows of the embedding.</summary>
    public required int Size { get; init; }

    /// <summary>The special tokens; those before the first one are texts.</summary>
    public required IReadOnlyDictionary<int, string> Special { get; init; }

    /// <summary>What tokens after the first special one are called that have no name, with their number in place of #.</summary>
    public required string Unnamed { get; init; }

    public required int BeginId { get; init; }

    public required int EndId { get; init; }

    public required int PaddingId { get; init; }

    /// <summary>Whether each text begins with <see cref="BeginId"/>.</summary>
    public required bool AddsBegin { get; init; }

    /// <summary>A short Jinja template in the published model's format.</summary>
    public required string ChatTemplate { get; init; }

    /// <summary>How many of the first tokens are texts.</summary>
    public int TextCount => Special.Keys.Where(id => id > 2).Min();
}
