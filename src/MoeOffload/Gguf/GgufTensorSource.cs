namespace MoeOffload.Gguf;

/// <summary>Gives a tensor's data piece by piece, so that it need not be in memory whole.</summary>
/// <param name="offset">Bytes from the start of the tensor's data; pieces follow each other without gaps.</param>
/// <param name="destination">What to fill: one or more whole rows.</param>
public delegate void GgufTensorSource(long offset, Span<byte> destination);
