namespace MoeOffload.Embeddings;

/// <summary>The embeddings of a text's tokens, as the model's last layer gives them: neither pooled nor normalized.</summary>
public sealed class TokenEmbeddings
{
    private readonly float[] _rows;

    internal TokenEmbeddings(int[] tokens, float[] rows, int dimension)
    {
        Tokens = tokens;
        _rows = rows;
        Dimension = dimension;
    }

    /// <summary>The tokens, special ones included.</summary>
    public IReadOnlyList<int> Tokens { get; }

    /// <summary>Floats of one embedding.</summary>
    public int Dimension { get; }

    /// <summary>The embedding of a token.</summary>
    /// <param name="index">Which of <see cref="Tokens"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such token.</exception>
    public ReadOnlyMemory<float> this[int index] => index >= 0 && index < Tokens.Count
        ? _rows.AsMemory(index * Dimension, Dimension)
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"The text has {Tokens.Count} tokens.");
}
