using MoeOffload.Embeddings;

namespace MoeOffload.Inference.Embeddings;

/// <summary>Represents one text in the embedder: its progress and the values to keep.</summary>
/// <param name="tokens">The tokens of the text.</param>
/// <param name="pooling">The pooling of the token embeddings, or null to keep the embeddings of all tokens.</param>
/// <param name="dimension">The number of dimensions of an embedding.</param>
internal sealed class EmbeddingText(int[] tokens, EmbeddingPooling? pooling, int dimension)
{
    private readonly float[] _kept = new float[pooling is null ? checked(tokens.Length * dimension) : dimension];
    private readonly double[] _sum = pooling == EmbeddingPooling.Mean ? new double[dimension] : [];

    /// <summary>Gets the tokens of the text.</summary>
    public int[] Tokens => tokens;

    /// <summary>Gets the number of tokens that are computed.</summary>
    public int Position { get; private set; }

    /// <summary>Gets a value that indicates whether all tokens are computed.</summary>
    public bool IsDone => Position == tokens.Length;

    /// <summary>Gets the pooled embedding, or the embeddings of all tokens.</summary>
    public float[] Result => _kept;

    /// <summary>Adds the embeddings of the next tokens.</summary>
    /// <param name="rows">The embeddings, one after another.</param>
    public void Add(ReadOnlySpan<float> rows)
    {
        switch (pooling)
        {
            case null:
                rows.CopyTo(_kept.AsSpan(Position * dimension));
                break;
            case EmbeddingPooling.Cls when Position == 0:
                rows[..dimension].CopyTo(_kept);
                break;
            case EmbeddingPooling.Last:
                rows[^dimension..].CopyTo(_kept);
                break;
            case EmbeddingPooling.Mean:
                Sum(rows);
                break;
        }

        Position += rows.Length / dimension;
        if (IsDone && pooling == EmbeddingPooling.Mean)
        {
            for (int i = 0; i < dimension; i++)
            {
                _kept[i] = (float)(_sum[i] / tokens.Length);
            }
        }
    }

    /// <summary>Takes the result of the whole text, which the context has pooled.</summary>
    public void Complete(ReadOnlySpan<float> result)
    {
        result.CopyTo(_kept);
        Position = tokens.Length;
    }

    /// <summary>Discards all computed embeddings.</summary>
    public void Restart()
    {
        Position = 0;
        Array.Clear(_sum);
    }

    /// <summary>Scales the pooled embedding to the Euclidean length 1. A zero vector is not changed.</summary>
    public void Normalize()
    {
        double squares = 0;
        foreach (float value in _kept)
        {
            squares += (double)value * value;
        }

        float scale = squares > 0 ? (float)(1 / Math.Sqrt(squares)) : 0;
        for (int i = 0; i < _kept.Length; i++)
        {
            _kept[i] *= scale;
        }
    }

    private void Sum(ReadOnlySpan<float> rows)
    {
        for (int start = 0; start < rows.Length; start += dimension)
        {
            ReadOnlySpan<float> row = rows.Slice(start, dimension);
            for (int i = 0; i < row.Length; i++)
            {
                _sum[i] += row[i];
            }
        }
    }
}
