namespace MoeOffload;

/// <summary>
/// One step of a sampling chain: it changes, drops or orders the candidates for the next token, or, as the chain's last step,
/// selects one. Plain data; the native sampler is made from it for each generation.
/// </summary>
public abstract record Sampler
{
    /// <summary>More tokens of history than any context holds; llama.cpp allocates them at once.</summary>
    private protected const int MaxHistory = 1 << 20;

    private protected Sampler()
    {
    }

    /// <summary>llama.cpp's name of the sampler.</summary>
    public abstract string Name { get; }

    /// <summary>Whether it selects a token, and so must be the last of its chain.</summary>
    internal virtual bool Selects => false;

    /// <summary>Whether its parameters turn it off.</summary>
    internal virtual bool DoesNothing => false;

    /// <summary>Refuses parameters that llama.cpp would abort on, or that mean nothing.</summary>
    /// <exception cref="ArgumentException">A parameter is wrong; the message says which, the allowed range and a remedy.</exception>
    internal abstract void Validate();

    /// <summary>This sampler with a seed where it has none of its own.</summary>
    internal virtual Sampler WithSeed(uint? seed) => this;

    private protected static void CheckSeed(uint? seed, string name)
    {
        if (seed == uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                name, seed, $"{name} is {seed}, by which llama.cpp means a random one: use null for that, or another number.");
        }
    }

    private protected static void CheckMinKeep(int minKeep) =>
        OptionRange.Check(minKeep, 0, int.MaxValue, "MinKeep", "how many candidates are kept at least");
}
