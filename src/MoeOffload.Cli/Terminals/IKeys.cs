namespace MoeOffload.Cli.Terminals;

/// <summary>A keyboard.</summary>
internal interface IKeys
{
    /// <summary>Whether more was typed, or pasted, than was read.</summary>
    bool HasMore { get; }

    /// <summary>Columns of the terminal.</summary>
    int Width { get; }

    /// <summary>Waits for a key.</summary>
    ConsoleKeyInfo Read();
}
