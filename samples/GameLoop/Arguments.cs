using System.Globalization;

namespace GameLoop;

/// <summary>Represents the command line.</summary>
internal sealed record Arguments
{
    private const string Usage = """
        usage: GameLoop --model PATH.gguf [options]

          --characters N    the number of characters that talk at once     (4)
          --seconds N       the duration in seconds                        (30)
          --rate N          the number of frames per second                (60)
          --threads N       the number of CPU threads that generate tokens (all but one)
          --help            shows this text
        """;

    public string Model { get; private init; } = string.Empty;

    public int Characters { get; private init; } = 4;

    public int Seconds { get; private init; } = 30;

    public int Rate { get; private init; } = 60;

    public int Threads { get; private init; } = Math.Max(1, Environment.ProcessorCount - 1);

    /// <summary>Parses the command line. Exits the program if it asks for help or is not valid.</summary>
    public static Arguments Parse(string[] args)
    {
        var arguments = new Arguments();
        try
        {
            var words = new Queue<string>(args);
            while (words.TryDequeue(out string? word))
            {
                if (word is "--help" or "-h")
                {
                    Console.WriteLine(Usage);
                    Environment.Exit(0);
                }

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
        int.Parse(value, CultureInfo.InvariantCulture) is var number and > 0 ? number : throw new FormatException($"{value} is not a positive number");
}
