namespace MoeOffload.Cli.Terminals;

/// <summary>Reads the keyboard of the terminal.</summary>
internal sealed class Keyboard : IKeys
{
    public bool HasMore => Console.KeyAvailable;

    public int Width => Math.Max(Console.WindowWidth, 10);

    public ConsoleKeyInfo Read() => Console.ReadKey(intercept: true);
}
