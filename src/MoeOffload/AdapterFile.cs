namespace MoeOffload;

/// <summary>Represents the file of a LoRA adapter.</summary>
/// <param name="Path">The path of the GGUF file.</param>
/// <param name="Scale">The factor of the adapter's changes; see <see cref="ScaledAdapter.Scale"/>.</param>
public readonly record struct AdapterFile(string Path, float Scale = 1);
