namespace MoeOffload;

/// <summary>
/// Represents one step of a sampling chain. A sampler changes, removes or sorts the candidates for the next token; the last sampler of a
/// chain selects one.
/// </summary>
public abstract record Sampler
{
    /// <summary>The maximum number of tokens of history. It exceeds any context length; llama.cpp allocates the whole history in advance.</summary>
    private protected const int MaxHistory = 1 << 20;

    private protected Sampler()
    {
    }

    /// <summary>Gets the name of the sampler in llama.cpp.</summary>
    public abstract string Name { get; }

    /// <summary>Gets a value that indicates whether the sampler selects a token, and must therefore be the last of its chain.</summary>
    internal virtual bool Selects => false;

    /// <summary>Gets a value that indicates whether the parameters disable the sampler.</summary>
    internal virtual bool DoesNothing => false;

    /// <summary>Validates the parameters: rejects those on which llama.cpp would abort, or that have no meaning.</summary>
    /// <exception cref="ArgumentException">A parameter is not valid. The message names the parameter, its range and a remedy.</exception>
    internal abstract void Validate();

    /// <summary>Returns this sampler with the specified seed if it has no seed of its own.</summary>
    internal virtual Sampler WithSeed(uint? seed) => this;

    private protected static void CheckSeed(uint? seed, string name)
    {
        if (seed == uint.MaxValue)
        {
            throw new ArgumentOutOfRangeException(
                name, seed, $"{name} is {seed}, which means a random seed in llama.cpp. Use null for a random seed, or another number.");
        }
    }

    private protected static void CheckMinKeep(int minKeep) =>
        OptionRange.Check(minKeep, 0, int.MaxValue, "MinKeep", "the minimum number of candidates to keep");
}
