namespace MoeOffload;

/// <summary>Represents the outcome of a placement rule.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="TensorCount">The number of tensors that the rule was applied to.</param>
/// <param name="Bytes">The size of these tensors, in bytes.</param>
public sealed record RuleOutcome(PlacementRule Rule, int TensorCount, long Bytes);
