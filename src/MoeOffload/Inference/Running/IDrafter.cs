using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>
/// Drafts tokens ahead with a context of its own. The scheduler's thread owns it; if it fails, there are no more drafts, and nothing else
/// is harmed.
/// </summary>
internal interface IDrafter
{
    /// <summary>Gets the RPC servers that it uses besides those of the session's model.</summary>
    IReadOnlyCollection<string> Servers { get; }

    /// <summary>Reads what it holds of the session's model besides its weights.</summary>
    IReadOnlyList<MemoryUse> ReadMemory();

    /// <summary>Takes the context whose tokens it drafts: to be called first, and with each one that takes its place.</summary>
    void Begin(NativeContext context);

    /// <summary>Drafts for each request as many tokens as it has a limit for, or fewer.</summary>
    void Draft(IReadOnlyList<SequenceRequest> requests);

    /// <summary>Abandons its context, since something may still be using it.</summary>
    void Abandon();

    /// <summary>Gives its memory back.</summary>
    void Close();
}
