namespace MoeOffload;

/// <summary>What one placement rule did.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="TensorCount">How many tensors it decided about.</param>
/// <param name="Bytes">Their size in bytes.</param>
public sealed record RuleOutcome(PlacementRule Rule, int TensorCount, long Bytes);
