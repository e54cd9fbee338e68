namespace MoeOffload.Inference.Preparation;

/// <summary>Represents a request that is already complete.</summary>
/// <param name="request">The request.</param>
internal sealed class PlainRequest(GenerationRequest request) : IRequestSource
{
    // Preparing a grammar takes far longer than preparing a prompt of the same length.
    private const int GrammarWeight = 4;

    /// <inheritdoc/>
    public GenerationRequest Limits => request;

    /// <summary>Returns the length of the grammar, as counted by <see cref="IRequestSource.MeasureLength"/>.</summary>
    public static long MeasureGrammar(SamplingOptions? sampling) =>
        GrammarWeight * ((sampling?.Grammar?.Length ?? 0L) + (sampling?.JsonSchema?.ToString().Length ?? 0L));

    /// <summary>Returns the length of a schema, as counted by <see cref="IRequestSource.MeasureLength"/>.</summary>
    public static long MeasureSchema(string? schema) => GrammarWeight * (schema?.Length ?? 0L);

    /// <inheritdoc/>
    public long MeasureLength() =>
        (request.PromptTokens?.Count ?? request.Prompt.Length) + MeasureGrammar(request.Sampling) + request.StopStrings.Sum(text => (long)(text?.Length ?? 0));

    /// <inheritdoc/>
    public GenerationRequest Complete() => request;
}
