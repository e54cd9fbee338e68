namespace MoeOffload.Cli.Terminals;

/// <summary>Represents a keyboard.</summary>
internal interface IKeys
{
    /// <summary>Gets a value that indicates whether typed or pasted keys have not been read yet.</summary>
    bool HasMore { get; }

    /// <summary>Gets the width of the terminal, in columns.</summary>
    int Width { get; }

    /// <summary>Waits for a key.</summary>
    ConsoleKeyInfo Read();
}
