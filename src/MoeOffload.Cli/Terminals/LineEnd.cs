namespace MoeOffload.Cli.Terminals;

/// <summary>Specifies how the input of a line ended.</summary>
internal enum LineEnd
{
    /// <summary>Enter was pressed.</summary>
    Entered,

    /// <summary>Ctrl-C was pressed, which discards the line.</summary>
    Cancelled,

    /// <summary>Ctrl-D was pressed on an empty line, which ends the input.</summary>
    Closed,
}
