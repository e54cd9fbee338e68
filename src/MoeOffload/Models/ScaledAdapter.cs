namespace MoeOffload;

/// <summary>A LoRA adapter and how much of it counts.</summary>
/// <param name="Adapter">The adapter.</param>
/// <param name="Scale">A factor for what it adds: 1 as it was trained, 0 nothing, below 0 the opposite.</param>
public readonly record struct ScaledAdapter(LoraAdapter Adapter, float Scale = 1);
