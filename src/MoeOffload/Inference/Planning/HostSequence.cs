namespace MoeOffload.Inference.Planning;

/// <summary>A sequence in system memory.</summary>
/// <param name="tokens">The tokens that it stands for.</param>
/// <param name="bytes">How much memory it takes.</param>
/// <param name="state">What the KV cache held of it; disposed with this.</param>
internal sealed class HostSequence(int[] tokens, long bytes, IDisposable state) : IDisposable
{
    /// <summary>Gets the tokens that it stands for.</summary>
    public int[] Tokens => tokens;

    /// <summary>Gets how many bytes it takes.</summary>
    public long Bytes => bytes;

    /// <summary>Gets what the KV cache held of it.</summary>
    public IDisposable State => state;

    /// <inheritdoc/>
    public void Dispose() => state.Dispose();
}
