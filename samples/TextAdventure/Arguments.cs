using System.Globalization;

namespace TextAdventure;

/// <summary>Represents the command line.</summary>
internal sealed record Arguments
{
    private const string Usage = """
        usage: TextAdventure --model PATH.gguf [options]

          --script FILE   plays the lines of a file instead of those of the keyboard
          --save FILE     the file of save and load                          (adventure.json)
          --seed N        lets the characters say the same in each game
          --help          shows this text
        """;

    public string Model { get; private init; } = string.Empty;

    public string? Script { get; private init; }

    public string Save { get; private init; } = "adventure.json";

    public uint? Seed { get; private init; }

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

                arguments = arguments.With(word, words.TryDequeue(out string? next) ? next : throw new FormatException($"{word} needs a value"));
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

    private Arguments With(string word, string value) => word switch
    {
        "--model" or "-m" => this with { Model = value },
        "--script" => this with { Script = value },
        "--save" => this with { Save = value },
        "--seed" => this with { Seed = uint.Parse(value, CultureInfo.InvariantCulture) },
        _ => throw new FormatException($"unknown argument {word}"),
    };
}
