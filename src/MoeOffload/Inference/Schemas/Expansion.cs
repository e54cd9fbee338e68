namespace MoeOffload.Inference.Schemas;

/// <summary>Represents the cases of a goal.</summary>
/// <param name="Cases">The cases. Together, they have at least the values that meet the goal, and no others if nothing was refused.</param>
/// <param name="Refusals">The keywords that the cases leave out.</param>
internal sealed record Expansion(IReadOnlyList<Case> Cases, IReadOnlyList<Refusal> Refusals);
