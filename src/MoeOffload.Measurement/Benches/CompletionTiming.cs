namespace MoeOffload.Measurement.Benches;

/// <summary>Represents the timing of a request by the client's clock. Times start before the request is sent.</summary>
/// <param name="PromptTokens">The number of tokens in the prompt, by the model's tokenizer.</param>
/// <param name="Tokens">The number of tokens in the answer.</param>
/// <param name="Pieces">The time at which each piece of text arrived; empty if the answer was not streamed.</param>
/// <param name="Total">The time at which the answer was complete.</param>
internal sealed record CompletionTiming(int PromptTokens, int Tokens, IReadOnlyList<TimeSpan> Pieces, TimeSpan Total);
