namespace MoeOffload.Inference.Planning;

/// <summary>Represents a sequence in system memory.</summary>
/// <param name="tokens">The tokens of the sequence.</param>
/// <param name="bytes">The size in bytes.</param>
/// <param name="state">The saved KV cache, which this instance disposes.</param>
internal sealed class HostSequence(int[] tokens, long bytes, IDisposable state) : IDisposable
{
    /// <summary>Gets the tokens of the sequence.</summary>
    public int[] Tokens => tokens;

    /// <summary>Gets or sets the images in the sequence.</summary>
    public IReadOnlyList<PlannedImage> Images { get; set; } = [];

    /// <summary>Gets the size in bytes.</summary>
    public long Bytes => bytes;

    /// <summary>Gets the saved KV cache.</summary>
    public IDisposable State => state;

    /// <inheritdoc/>
    public void Dispose() => state.Dispose();
}
