namespace MoeOffload.Cli.Tests.Commands;

/// <summary>What a run of the command gave.</summary>
internal sealed record MoeResult(int Code, string Output, string Errors);
