namespace MoeOffload.Cli.Errors;

/// <summary>What the command ends with; docs/cli.md tells users.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>Something failed that has no code of its own.</summary>
    public const int Failure = 1;

    /// <summary>A model could not be loaded.</summary>
    public const int LoadFailed = 2;

    /// <summary>No model, or several, have the name.</summary>
    public const int ModelNotFound = 3;

    /// <summary>The command line, a variable or the configuration file is wrong; EX_USAGE of sysexits.h.</summary>
    public const int Usage = 64;

    /// <summary>A defect of the command itself; EX_SOFTWARE of sysexits.h.</summary>
    public const int Defect = 70;

    /// <summary>Ended by Ctrl-C: 128 and the signal's number.</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by SIGTERM.</summary>
    public const int Terminated = 143;
}
