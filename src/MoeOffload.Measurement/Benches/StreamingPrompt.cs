namespace MoeOffload.Measurement.Benches;

/// <summary>Represents a prompt of the streaming benchmark.</summary>
/// <param name="Name">A word for its length.</param>
/// <param name="Text">The prompt, as it is given to the model, without any template.</param>
internal sealed record StreamingPrompt(string Name, string Text)
{
    /// <summary>
    /// Gets the prompts, which have 7, 6, 10 and 27 tokens with GPT-2's tokenizer and similar ones. Each sample contains the model's own count.
    /// </summary>
    public static IReadOnlyList<StreamingPrompt> All { get; } =
    [
        new("short", "Write a haiku about the sea"),
        new("medium", "Explain gravity in simple terms"),
        new("long", "Tell a story about a fox who finds a lantern"),
        new(
            "very_long",
            "Write a detailed technical explanation of how a mixture of experts model routes each token, where its weights lie in memory, and what that costs"),
    ];
}
