namespace MoeOffload.Inference.Sampling;

/// <summary>Represents the format that a rendered prompt asks its answer to have.</summary>
/// <param name="Rendered">The rendered prompt as the native side has made it, from which it makes the sampler; null leaves the answer free.</param>
/// <param name="PreservedTokens">Special tokens that are part of the answer's text, since its format is made of them.</param>
internal sealed record OutputFormat(byte[]? Rendered, IReadOnlyList<string> PreservedTokens);
