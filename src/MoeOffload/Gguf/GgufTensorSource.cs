namespace MoeOffload.Gguf;

/// <summary>Writes the next part of a tensor's data, so that the tensor need not be in memory as a whole.</summary>
/// <param name="offset">The offset from the start of the tensor's data, in bytes. The parts follow each other without gaps.</param>
/// <param name="destination">The span to fill, whose length is one or more whole rows.</param>
public delegate void GgufTensorSource(long offset, Span<byte> destination);
