namespace MoeOffload.Inference.Sampling;

/// <summary>Represents the output format that a rendered prompt requires.</summary>
/// <param name="Rendered">
/// The prompt as rendered by the native library, from which it creates the grammar sampler, or null if the output is not constrained.
/// </param>
/// <param name="PreservedTokens">The special tokens that are kept in the output text because its format consists of them.</param>
internal sealed record OutputFormat(byte[]? Rendered, IReadOnlyList<string> PreservedTokens);
