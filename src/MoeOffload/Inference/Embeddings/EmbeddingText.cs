using MoeOffload.Embeddings;

namespace MoeOffload.Inference.Embeddings;

/// <summary>One text on its way through the embedder: how far it is computed, and what of it is to be kept.</summary>
/// <param name="tokens">The text.</param>
/// <param name="pooling">How its tokens become one embedding; null keeps those of all tokens.</param>
/// <param name="dimension">Floats of one embedding.</param>
internal sealed class EmbeddingText(int[] tokens, EmbeddingPooling? pooling, int dimension)
{
    private readonly float[] _kept = new float[pooling is null ? checked(tokens.Length * dimension) : dimension];
    private readonly double[] _sum = pooling == EmbeddingPooling.Mean ? new double[dimension] : [];

    /// <summary>The text.</summary>
    public int[] Tokens => tokens;

    /// <summary>How many tokens are computed.</summary>
    public int Position { get; private set; }

    /// <summary>Whether all are.</summary>
    public bool IsDone => Position == tokens.Length;

    /// <summary>One embedding, or those of all tokens.</summary>
    public float[] Result => _kept;

    /// <summary>Takes the embeddings of the next tokens, one after the other.</summary>
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

    /// <summary>Forgets what was computed.</summary>
    public void Restart()
    {
        Position = 0;
        Array.Clear(_sum);
    }

    /// <summary>Scales the one embedding to the Euclidean length 1; zeros stay zeros.</summary>
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
