namespace MoeOffload;

/// <summary>Represents a tensor of a model whose place is planned.</summary>
/// <param name="Name">The tensor's name in the GGUF file.</param>
/// <param name="Bytes">The tensor's size, in bytes.</param>
public sealed record PlacementTensor(string Name, long Bytes);
