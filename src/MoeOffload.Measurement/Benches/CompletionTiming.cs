namespace MoeOffload.Measurement.Benches;

/// <summary>What a request to the server cost, by the client's clock; times are from the moment before it was sent.</summary>
/// <param name="PromptTokens">Tokens of the prompt, by the model's tokenizer.</param>
/// <param name="Tokens">Tokens of the answer.</param>
/// <param name="Pieces">When each piece of text came; none of an answer in one.</param>
/// <param name="Total">When all was there.</param>
internal sealed record CompletionTiming(int PromptTokens, int Tokens, IReadOnlyList<TimeSpan> Pieces, TimeSpan Total);
