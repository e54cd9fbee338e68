namespace MoeOffload.Embeddings;

/// <summary>Represents the embeddings of the tokens of a text, as computed by the last layer of the model, neither pooled nor normalized.</summary>
public sealed class TokenEmbeddings
{
    private readonly float[] _rows;

    internal TokenEmbeddings(int[] tokens, float[] rows, int dimension)
    {
        Tokens = tokens;
        _rows = rows;
        Dimension = dimension;
    }

    /// <summary>Gets the tokens, including special tokens.</summary>
    public IReadOnlyList<int> Tokens { get; }

    /// <summary>Gets the number of dimensions of an embedding.</summary>
    public int Dimension { get; }

    /// <summary>Gets the embedding of a token.</summary>
    /// <param name="index">The zero-based index of the token in <see cref="Tokens"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is not the index of a token.</exception>
    public ReadOnlyMemory<float> this[int index] => index >= 0 && index < Tokens.Count
        ? _rows.AsMemory(index * Dimension, Dimension)
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"The text has {Tokens.Count} tokens.");
}
