using System.Globalization;

namespace GameLoop;

/// <summary>The command line.</summary>
internal sealed record Arguments
{
    private const string Usage = """
        usage: GameLoop --model PATH.gguf [options]

          --characters N    who talk at once                       (4)
          --seconds N       how long                               (30)
          --rate N          frames per second                      (60)
          --threads N       CPU threads that generate              (all but one)
        """;

    public string Model { get; private init; } = string.Empty;

    public int Characters { get; private init; } = 4;

    public int Seconds { get; private init; } = 30;

    public int Rate { get; private init; } = 60;

    public int Threads { get; private init; } = Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>Reads the command line; one that cannot be read ends the program with the usage.</summary>
    public static Arguments Parse(string[] args)
    {
        var arguments = new Arguments();
        try
        {
            var words = new Queue<string>(args);
            while (words.TryDequeue(out string? word))
            {
                string value = words.TryDequeue(out string? next) ? next : throw new FormatException($"{word} needs a value");
                arguments = word switch
                {
                    "--model" or "-m" => arguments with { Model = value },
                    "--characters" => arguments with { Characters = Positive(value) },
                    "--seconds" => arguments with { Seconds = Positive(value) },
                    "--rate" => arguments with { Rate = Positive(value) },
                    "--threads" => arguments with { Threads = Positive(value) },
                    _ => throw new FormatException($"unknown argument {word}"),
                };
            }

            return arguments.Model.Length > 0 ? arguments : throw new FormatException("--model is missing");
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            Console.Error.WriteLine($"error: {exception.Message}{Environment.NewLine}{Usage}");
            Environment.Exit(2);
            throw;
        }
    }

    private static int Positive(string value) =>
        int.Parse(value, CultureInfo.InvariantCulture) is var number and > 0 ? number : throw new FormatException($"{value} is not positive");
}
