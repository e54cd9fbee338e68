namespace MoeOffload.Native;

/// <summary>A request's samplers: the chain that selects, and the grammar that it must obey. Disposed with it.</summary>
/// <param name="chain">The chain; null selects the largest logit.</param>
/// <param name="grammar">The grammar, or null.</param>
internal sealed class NativeSampler(SamplerHandle? chain, SamplerHandle? grammar) : IDisposable
{
    /// <summary>Gets the chain; null selects the largest logit.</summary>
    public SamplerHandle? Chain => chain;

    /// <summary>Gets the grammar, or null.</summary>
    public SamplerHandle? Grammar => grammar;

    /// <summary>Frees both, once no call uses them any more.</summary>
    public void Dispose()
    {
        chain?.Dispose();
        grammar?.Dispose();
    }
}
