namespace MoeOffload.Cli.Commands;

/// <summary>Represents how an answer ended.</summary>
/// <param name="Reason">The reason for reports.</param>
/// <param name="Stop">The reason why no more tokens were generated.</param>
/// <param name="Statistics">The statistics of the answer.</param>
internal sealed record OneAnswerResult(string? Reason, StopReason? Stop, GenerationStatistics Statistics);
