namespace MoeOffload.Inference.Planning;

/// <summary>One token of a step.</summary>
/// <param name="Token">The token.</param>
/// <param name="Position">Its position in its sequence.</param>
/// <param name="Sequence">Its sequence.</param>
/// <param name="WantsLogits">Whether the next token is sampled from what it yields.</param>
internal readonly record struct BatchEntry(int Token, int Position, int Sequence, bool WantsLogits);
