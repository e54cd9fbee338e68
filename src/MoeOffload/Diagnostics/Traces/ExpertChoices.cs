using System.Buffers.Binary;

namespace MoeOffload.Diagnostics;

/// <summary>Represents what the router of one layer chose in one micro-batch: a row of experts for each token.</summary>
/// <remarks>
/// The rows are in the order in which llama.cpp computed the tokens. With one sequence, this is the order of the text. With several, llama.cpp can change
/// the order, and rows are not assigned to sequences. In the last layer, most architectures compute only the tokens that are sampled from.
/// </remarks>
public readonly struct ExpertChoices : IEquatable<ExpertChoices>
{
    private readonly ReadOnlyMemory<byte> _rows;
    private readonly int _width;

    internal ExpertChoices(int layer, int tokens, int used, int width, ReadOnlyMemory<byte> rows)
    {
        Layer = layer;
        TokenCount = tokens;
        ExpertsPerToken = used;
        _width = width;
        _rows = rows;
    }

    /// <summary>Gets the zero-based number of the layer.</summary>
    public int Layer { get; }

    /// <summary>Gets the number of tokens, which is the number of rows.</summary>
    public int TokenCount { get; }

    /// <summary>Gets the number of experts in a row.</summary>
    public int ExpertsPerToken { get; }

    /// <summary>Gets an expert that was chosen for a token.</summary>
    /// <param name="token">The zero-based number of the row.</param>
    /// <param name="index">The zero-based position in the row. The router's favorite comes first.</param>
    /// <returns>The zero-based number of the expert, or -1 if llama.cpp left this choice out.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The row or the position does not exist.</exception>
    public int GetExpert(int token, int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)token, (uint)TokenCount, nameof(token));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)ExpertsPerToken, nameof(index));
        return At((token * ExpertsPerToken) + index);
    }

    /// <inheritdoc/>
    public bool Equals(ExpertChoices other) =>
        Layer == other.Layer && TokenCount == other.TokenCount && ExpertsPerToken == other.ExpertsPerToken && _width == other._width
        && _rows.Span.SequenceEqual(other._rows.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ExpertChoices other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Layer, TokenCount, ExpertsPerToken, _rows.Length);

    /// <summary>Determines whether two values contain the same choices.</summary>
    /// <param name="left">The first value.</param>
    /// <param name="right">The second value.</param>
    /// <returns><see langword="true"/> if they are equal; otherwise, <see langword="false"/>.</returns>
    public static bool operator ==(ExpertChoices left, ExpertChoices right) => left.Equals(right);

    /// <summary>Determines whether two values contain different choices.</summary>
    /// <param name="left">The first value.</param>
    /// <param name="right">The second value.</param>
    /// <returns><see langword="true"/> if they differ; otherwise, <see langword="false"/>.</returns>
    public static bool operator !=(ExpertChoices left, ExpertChoices right) => !left.Equals(right);

    /// <summary>Gets the number of choices in all rows.</summary>
    internal int Count => TokenCount * ExpertsPerToken;

    /// <summary>Gets a choice by its position in all rows, or -1 if it was left out.</summary>
    internal int At(int position)
    {
        ReadOnlySpan<byte> rows = _rows.Span;
        if (_width == 1)
        {
            return rows[position] == byte.MaxValue ? -1 : rows[position];
        }

        ushort expert = BinaryPrimitives.ReadUInt16LittleEndian(rows[(position * sizeof(ushort))..]);
        return expert == ushort.MaxValue ? -1 : expert;
    }
}
