namespace MoeOffload.Cli.Tests.Commands;

/// <summary>The result of running the command.</summary>
internal sealed record MoeResult(int Code, string Output, string Errors);
