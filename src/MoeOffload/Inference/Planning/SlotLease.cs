namespace MoeOffload.Inference.Planning;

/// <summary>Asks for a sequence of the KV cache.</summary>
/// <param name="prompt">The prompt; at least its last token is left to be computed.</param>
/// <param name="capacity">The most tokens that the request can come to.</param>
internal sealed class SlotLease(ReadOnlyMemory<int> prompt, int capacity)
{
    /// <summary>Gets the prompt.</summary>
    public ReadOnlyMemory<int> Prompt => prompt;

    /// <summary>Gets the most tokens that the request can come to.</summary>
    public int Capacity => capacity;

    /// <summary>Gets or sets the sequence, once it is ready.</summary>
    public SequenceSlot? Slot { get; set; }
}
