using MoeOffload.Native;

namespace MoeOffload.Inference.Speculation;

/// <summary>Guesses tokens with a context of its own. The scheduler's thread owns it; where it fails, there are no more guesses, and nothing else is harmed.</summary>
internal interface IDrafter
{
    /// <summary>The RPC servers that it uses besides those of the session's model.</summary>
    IReadOnlyCollection<string> Servers { get; }

    /// <summary>What it holds of the session's model besides its weights.</summary>
    IReadOnlyList<MemoryUse> ReadMemory();

    /// <summary>To be called with the context whose tokens it guesses: first, and with each one that takes its place.</summary>
    void Begin(NativeContext context);

    /// <summary>Guesses for each generation as many tokens as it has a limit for, or fewer.</summary>
    void Guess(IReadOnlyList<Generation> generations);

    /// <summary>Gives its context up, since something may still be using it.</summary>
    void Abandon();

    /// <summary>Gives its memory back.</summary>
    void Close();
}
