namespace MoeOffload.Bindings.Generator;

/// <summary>The bindings cannot be made; the message says why and what to do.</summary>
internal sealed class GeneratorException(string message) : Exception(message);
