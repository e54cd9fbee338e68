namespace MoeOffload.Cli.Errors;

/// <summary>The command line, a variable or the configuration file is wrong.</summary>
internal sealed class UsageException(string message) : Exception(message);
