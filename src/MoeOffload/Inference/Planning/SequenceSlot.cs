using System.Runtime.InteropServices;

namespace MoeOffload.Inference.Planning;

/// <summary>Represents a sequence of the KV cache: its tokens, and how many of them are cached.</summary>
/// <param name="id">The sequence id in llama.cpp.</param>
internal sealed class SequenceSlot(int id)
{
    /// <summary>Gets the sequence id in llama.cpp.</summary>
    public int Id => id;

    /// <summary>Gets the tokens in order. Those from <see cref="Count"/> onwards are not computed yet.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Gets the images, in the order of their places among the <see cref="Tokens"/>.</summary>
    public List<PlannedImage> Images { get; } = [];

    /// <summary>Gets or sets the number of <see cref="Tokens"/> that are in the KV cache.</summary>
    public int Count { get; set; }

    /// <summary>
    /// Gets the number of cached tokens that were computed with exactly the tokens before them and with the current model. After a shift,
    /// some tokens were computed with removed ones in view.
    /// </summary>
    public int ExactCount { get; private set; } = int.MaxValue;

    /// <summary>Gets or sets the number of cells, from the first, that might also belong to another sequence.</summary>
    public int SharedCount { get; set; }

    /// <summary>Gets a value that indicates whether a request uses the slot.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Gets a number that grows with each use of any slot.</summary>
    public long LastUse { get; private set; }

    /// <summary>Gets a value that indicates whether the KV cache contains no tokens of the sequence.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Gets the cached tokens that another request can reuse.</summary>
    public ReadOnlySpan<int> Reusable => CollectionsMarshal.AsSpan(Tokens)[..Math.Min(Count, ExactCount)];

    /// <summary>Begins a request.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="images">The images in the prompt.</param>
    /// <param name="cached">The number of its tokens that are in the KV cache.</param>
    /// <param name="capacity">The maximum number of tokens that the request can reach.</param>
    public void Begin(ReadOnlySpan<int> prompt, IReadOnlyList<PlannedImage> images, int cached, int capacity)
    {
        Images.Clear();
        Images.AddRange(images);
        Tokens.Clear();
        Tokens.EnsureCapacity(capacity);
        Tokens.AddRange(prompt);
        Hold(cached);
        IsBusy = true;
    }

    /// <summary>Ends the request.</summary>
    /// <param name="kept">The number of tokens to keep in the KV cache.</param>
    /// <param name="use">The number of this use, for <see cref="LastUse"/>.</param>
    public void End(int kept, long use)
    {
        Tokens.RemoveRange(kept, Tokens.Count - kept);
        SetImages(Images.Where(image => image.Shape.End <= kept));
        Hold(kept);
        IsBusy = false;
        LastUse = use;
    }

    /// <summary>Sets tokens that were put into the KV cache by other means.</summary>
    /// <param name="tokens">The tokens, all of which are cached.</param>
    /// <param name="images">The images among them.</param>
    /// <param name="use">The number of this use, for <see cref="LastUse"/>.</param>
    public void Fill(ReadOnlySpan<int> tokens, IEnumerable<PlannedImage> images, long use)
    {
        SetImages(images);
        Tokens.Clear();
        Tokens.AddRange(tokens);
        Hold(tokens.Length);
        LastUse = use;
    }

    /// <summary>Removes all tokens.</summary>
    public void Clear()
    {
        Images.Clear();
        Tokens.Clear();
        Hold(0);
        IsBusy = false;
    }

    /// <summary>Marks tokens to be computed again.</summary>
    /// <param name="cached">The number of tokens that are still in the KV cache.</param>
    public void Restart(int cached) => Hold(cached);

    /// <inheritdoc cref="PlannedImage.PositionOf"/>
    public int PositionOf(int index) => PlannedImage.PositionOf(Images, index);

    /// <summary>Removes a range of tokens, which has only whole images. All of the sequence's tokens except the last one were cached.</summary>
    /// <param name="start">The index of the first token to remove.</param>
    /// <param name="count">The number of tokens to remove.</param>
    /// <param name="cached">The number of the remaining tokens that are in the KV cache.</param>
    public void Discard(int start, int count, int cached)
    {
        Tokens.RemoveRange(start, count);
        Images.RemoveAll(image => image.Shape.Begin >= start && image.Shape.Begin < start + count);
        for (int i = 0; i < Images.Count; i++)
        {
            ImageShape shape = Images[i].Shape;
            Images[i] = shape.Begin < start ? Images[i] : Images[i] with { Shape = shape with { Begin = shape.Begin - count } };
        }

        Count = cached;
        ExactCount = cached > start ? Math.Min(ExactCount, start) : cached > ExactCount ? ExactCount : int.MaxValue;
        SharedCount = Math.Min(SharedCount, start);
    }

    /// <summary>Prevents other requests from reusing the tokens that are cached now.</summary>
    public void Invalidate() => ExactCount = 0;

    // Without a request, nothing needs the embeddings.
    private void SetImages(IEnumerable<PlannedImage> images)
    {
        PlannedImage[] kept = [.. images.Select(image => image with { Input = null })];
        Images.Clear();
        Images.AddRange(kept);
    }

    private void Hold(int count)
    {
        Count = count;
        ExactCount = int.MaxValue;
        SharedCount = Math.Min(SharedCount, count);
    }
}
