namespace MoeOffload.Cli.Errors;

/// <summary>Defines the exit codes of the command, which docs/cli.md documents.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The command failed, and no other code applies.</summary>
    public const int Failure = 1;

    /// <summary>A model could not be loaded.</summary>
    public const int LoadFailed = 2;

    /// <summary>No model has the name, or several have it.</summary>
    public const int ModelNotFound = 3;

    /// <summary>The command line, an environment variable or the configuration file is not valid; EX_USAGE in sysexits.h.</summary>
    public const int Usage = 64;

    /// <summary>The command has a bug; EX_SOFTWARE in sysexits.h.</summary>
    public const int Defect = 70;

    /// <summary>Ctrl-C ended the command; 128 plus the number of the signal.</summary>
    public const int Interrupted = 130;

    /// <summary>SIGTERM ended the command; 128 plus the number of the signal.</summary>
    public const int Terminated = 143;
}
