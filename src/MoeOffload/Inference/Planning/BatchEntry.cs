namespace MoeOffload.Inference.Planning;

/// <summary>Represents one token of a step.</summary>
/// <param name="Token">The token.</param>
/// <param name="Position">The position of the token in its sequence.</param>
/// <param name="Sequence">The sequence of the token.</param>
/// <param name="WantsLogits"><see langword="true"/> if the logits of the token are needed for sampling.</param>
internal readonly record struct BatchEntry(int Token, int Position, int Sequence, bool WantsLogits);
