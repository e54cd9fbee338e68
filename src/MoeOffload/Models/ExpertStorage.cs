namespace MoeOffload;

/// <summary>Specifies how much memory the routed experts of a model may take. The others stay in the model's files until they are used.</summary>
/// <remarks>
/// The experts that were used last are in memory. The limit is for all sessions of a model together; the memory of everything else (the other
/// weights and the contexts) is added to it. Results are the same as with all experts in memory and <see cref="ModelOptions.Repack"/> set to
/// <see langword="false"/>.
/// </remarks>
public sealed record ExpertStorage
{
    private ExpertStorage(long hostBytes) => HostBytes = hostBytes;

    /// <summary>Gets the maximum system memory that routed experts may take, in bytes.</summary>
    public long HostBytes { get; }

    /// <summary>Limits the system memory of the routed experts. What a step needs and is not in memory is read from the model's files.</summary>
    /// <param name="hostBytes">
    /// The limit, in bytes. It must have room for the experts that a single token uses in the layer with the largest ones; loading a model
    /// fails otherwise, with a message that states the smallest limit.
    /// </param>
    /// <returns>The storage, for <see cref="ModelOptions.Experts"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not greater than 0.</exception>
    public static ExpertStorage Limit(long hostBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hostBytes);
        return new ExpertStorage(hostBytes);
    }
}
