namespace MoeOffload.Inference.Planning;

/// <summary>Represents a request for a sequence slot.</summary>
/// <param name="prompt">The prompt. At least its last token is computed.</param>
/// <param name="images">The images in the prompt.</param>
/// <param name="capacity">The maximum number of tokens that the request can reach.</param>
internal sealed class SlotLease(ReadOnlyMemory<int> prompt, IReadOnlyList<PlannedImage> images, int capacity)
{
    /// <summary>Gets the prompt.</summary>
    public ReadOnlyMemory<int> Prompt => prompt;

    /// <summary>Gets the images in the prompt.</summary>
    public IReadOnlyList<PlannedImage> Images => images;

    /// <summary>Gets the maximum number of tokens that the request can reach.</summary>
    public int Capacity => capacity;

    /// <summary>Gets or sets the slot, when it is ready.</summary>
    public SequenceSlot? Slot { get; set; }
}
