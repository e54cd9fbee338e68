namespace MoeOffload.Inference.Planning;

/// <summary>Represents the place of an image among the tokens of a sequence, where a number that stands for the image takes the place of each token.</summary>
/// <param name="Begin">The index of its first embedding.</param>
/// <param name="Length">The number of its embeddings.</param>
/// <param name="PositionCount">The number of positions by which it advances, which is less than the length with M-RoPE.</param>
internal readonly record struct ImageShape(int Begin, int Length, int PositionCount)
{
    /// <summary>Gets the index after its last embedding.</summary>
    public int End => Begin + Length;
}
