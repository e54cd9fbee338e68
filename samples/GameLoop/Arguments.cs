using System.Globalization;
using MoeOffload;

namespace GameLoop;

/// <summary>Represents the command line.</summary>
internal sealed record Arguments
{
    private const string Usage = """
        usage: GameLoop --model PATH.gguf [options]

          --characters N      the number of characters that talk at once                    (4)
          --seconds N         the duration in seconds                                       (30)
          --rate N            the number of frames per second                               (60)
          --render-ms X       the time for which a frame keeps a core busy, in milliseconds (0)
          --threads N         the number of CPU threads that generate tokens                (chosen by the library)
          --normal-priority   generate tokens with the priority of the game, not below it
          --reserve-cores N   the number of cores that stay free                            (1)
          --budget-ms X       the time for which tokens are generated in each frame         (not limited)
          --help              shows this text

        The exit code is 0 if the frames are on time, 1 if they are not although the machine is idle, and 3 if they are not and other programs
        used the cores.
        """;

    public string Model { get; private init; } = string.Empty;

    public int Characters { get; private init; } = 4;

    public int Seconds { get; private init; } = 30;

    public int Rate { get; private init; } = 60;

    public TimeSpan Render { get; private init; }

    public ThreadOptions Threads { get; private init; } = new() { Priority = ComputePriority.BelowNormal, ReservedCores = 1 };

    private TimeSpan? Budget { get; init; }

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

                arguments = word == "--normal-priority"
                    ? arguments with { Threads = arguments.Threads with { Priority = ComputePriority.Normal } }
                    : arguments.With(word, words.TryDequeue(out string? next) ? next : throw new FormatException($"{word} needs a value"));
            }

            return arguments.Model.Length > 0 ? arguments.WithBudget() : throw new FormatException("--model is missing");
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            Console.Error.WriteLine($"error: {exception.Message}{Environment.NewLine}{Usage}");
            Environment.Exit(2);
            throw;
        }
    }

    private static int Positive(string value) =>
        int.Parse(value, CultureInfo.InvariantCulture) is var number and > 0 ? number : throw new FormatException($"{value} is not a positive number");

    private static TimeSpan Milliseconds(string value) => TimeSpan.FromMilliseconds(double.Parse(value, CultureInfo.InvariantCulture));

    private Arguments With(string word, string value) => word switch
    {
        "--model" or "-m" => this with { Model = value },
        "--characters" => this with { Characters = Positive(value) },
        "--seconds" => this with { Seconds = Positive(value) },
        "--rate" => this with { Rate = Positive(value) },
        "--render-ms" => this with { Render = Milliseconds(value) },
        "--threads" => this with { Threads = Threads with { Decode = Positive(value) } },
        "--reserve-cores" => this with { Threads = Threads with { ReservedCores = int.Parse(value, CultureInfo.InvariantCulture) } },
        "--budget-ms" => this with { Budget = Milliseconds(value) },
        _ => throw new FormatException($"unknown argument {word}"),
    };

    private Arguments WithBudget() => Budget is { } time
        ? this with { Threads = Threads with { Budget = new ComputeBudget(time, TimeSpan.FromSeconds(1.0 / Rate)) } }
        : this;
}
