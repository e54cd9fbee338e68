namespace MoeOffload.Cli.Terminals;

/// <summary>How someone ended a line.</summary>
internal enum LineEnd
{
    /// <summary>By Enter.</summary>
    Entered,

    /// <summary>By Ctrl-C: it is not wanted.</summary>
    Cancelled,

    /// <summary>By Ctrl-D on an empty line: there are no more.</summary>
    Closed,
}
