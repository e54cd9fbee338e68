using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents a keyword that a grammar cannot express.</summary>
/// <param name="Pointer">The location of the keyword.</param>
/// <param name="Reason">The reason and the remedy.</param>
internal sealed record Refusal(string Pointer, string Reason);

/// <summary>The exception that is thrown if a schema leads to more combinations or a larger grammar than is allowed.</summary>
internal sealed class SchemaLimitException(string message) : WorkLimitException(message);
