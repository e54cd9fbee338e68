namespace MoeOffload;

/// <summary>Represents a LoRA adapter and the scale with which it is applied.</summary>
/// <param name="Adapter">The adapter.</param>
/// <param name="Scale">
/// The factor that the adapter's changes are multiplied by, a finite number: 1, the default, applies them as trained, 0 not at all, and
/// a negative value subtracts them.
/// </param>
public readonly record struct ScaledAdapter(LoraAdapter Adapter, float Scale = 1);
