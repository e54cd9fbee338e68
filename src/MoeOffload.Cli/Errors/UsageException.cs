namespace MoeOffload.Cli.Errors;

/// <summary>The exception that is thrown when the command line, an environment variable or the configuration file is not valid.</summary>
internal sealed class UsageException(string message) : Exception(message);
