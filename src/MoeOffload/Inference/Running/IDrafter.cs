using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>
/// Drafts tokens with a context of its own. It belongs to the scheduler's thread. If it fails, no more tokens are drafted, and nothing else
/// is affected.
/// </summary>
internal interface IDrafter
{
    /// <summary>Gets a value that indicates whether prompts can have images. Nothing is drafted for those.</summary>
    bool SupportsImages { get; }

    /// <summary>Gets the RPC servers that the drafter uses in addition to those of the session's model.</summary>
    IReadOnlyCollection<string> Servers { get; }

    /// <summary>Returns the memory that the drafter uses in addition to the weights of the session's model.</summary>
    IReadOnlyList<MemoryUse> ReadMemory();

    /// <summary>Starts drafting for a context. The method is called first, and again for each context that replaces a lost one.</summary>
    void Begin(NativeContext context);

    /// <summary>Drafts tokens for each request, up to its limit.</summary>
    void Draft(IReadOnlyList<SequenceRequest> requests);

    /// <summary>Abandons the drafter's context because it might still be in use.</summary>
    void Abandon();

    /// <summary>Releases the memory.</summary>
    void Close();
}
