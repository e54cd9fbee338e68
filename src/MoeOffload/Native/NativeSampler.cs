namespace MoeOffload.Native;

/// <summary>Represents the samplers of a request: the chain that selects tokens, and the grammar that they must follow.</summary>
/// <param name="chain">The chain, or <see langword="null"/> to select the largest logit.</param>
/// <param name="grammar">The grammar, or <see langword="null"/>.</param>
internal sealed class NativeSampler(SamplerHandle? chain, SamplerHandle? grammar) : IDisposable
{
    /// <summary>Gets the chain, or <see langword="null"/> if the largest logit is selected.</summary>
    public SamplerHandle? Chain => chain;

    /// <summary>Gets the grammar, or <see langword="null"/>.</summary>
    public SamplerHandle? Grammar => grammar;

    /// <summary>Frees the samplers as soon as no call uses them.</summary>
    public void Dispose()
    {
        chain?.Dispose();
        grammar?.Dispose();
    }
}
