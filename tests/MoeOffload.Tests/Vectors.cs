using MoeOffload.Embeddings;

namespace MoeOffload.Tests;

/// <summary>Embeddings side by side.</summary>
internal static class Vectors
{
    /// <summary>The largest difference of two elements, for each unit of the longer vector's root mean square.</summary>
    public static float Difference(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
    {
        if (left.Length != right.Length)
        {
            return float.PositiveInfinity;
        }

        float most = 0;
        for (int i = 0; i < left.Length; i++)
        {
            most = Math.Max(most, Math.Abs(left[i] - right[i]));
        }

        return most / Math.Max(Size(left), Size(right));
    }

    /// <inheritdoc cref="Difference(ReadOnlySpan{float}, ReadOnlySpan{float})"/>
    public static float Difference(TextEmbedding left, TextEmbedding right) => Difference(left.Vector.Span, right.Vector.Span);

    /// <summary>The Euclidean length.</summary>
    public static float Length(ReadOnlySpan<float> vector) => Size(vector) * MathF.Sqrt(vector.Length);

    private static float Size(ReadOnlySpan<float> vector)
    {
        double squares = 0;
        foreach (float value in vector)
        {
            squares += (double)value * value;
        }

        return (float)Math.Sqrt(squares / vector.Length);
    }
}
