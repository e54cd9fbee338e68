using System.Globalization;
using Microsoft.Extensions.Logging;
using MoeOffload;

namespace HelloMoe;

/// <summary>Represents the command line.</summary>
internal sealed record Arguments
{
    private const string Usage = """
        usage: HelloMoe --model PATH.gguf [options]

          --prompt TEXT     the message to the model                           (Tell me a story about a brave fox named Tim.)
          --raw             continues the prompt without the model's chat template
          --tokens N        the maximum number of tokens to generate           (256)
          --context N       the context length in tokens                       (4096, or the model's trained length if shorter)
          --temperature T   the temperature, 0 for greedy sampling             (0.3)
          --seed N          the seed of the random number generator            (random)
          -ot RULES         the placement rules, in llama.cpp's syntax         (all experts in system memory)
          --rpc HOST:PORT   a running ggml-rpc-server to use as the device     (a GPU, or a server that is started here)
          --verbose         shows all logs, including those of llama.cpp
          --help            shows this text
        """;

    public string Model { get; private init; } = string.Empty;

    public string Prompt { get; private init; } = "Tell me a story about a brave fox named Tim.";

    public bool IsRaw { get; private init; }

    public int MaxTokens { get; private init; } = 256;

    public int? ContextLength { get; private init; }

    public float Temperature { get; private init; } = 0.3f;

    public uint? Seed { get; private init; }

    public TensorPlacement Placement { get; private init; } = TensorPlacement.ExpertsToCpu();

    public string? RpcServer { get; private init; }

    public bool IsVerbose { get; private init; }

    /// <summary>Parses the command line. Exits the program if it asks for help, is not valid, or names a model file that does not exist.</summary>
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

                string Value() => words.TryDequeue(out string? value) ? value : throw new FormatException($"{word} needs a value");
                arguments = word switch
                {
                    "--model" or "-m" => arguments with { Model = Value() },
                    "--prompt" or "-p" => arguments with { Prompt = Value() },
                    "--raw" => arguments with { IsRaw = true },
                    "--tokens" or "-n" => arguments with { MaxTokens = int.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--context" or "-c" => arguments with { ContextLength = int.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--temperature" => arguments with { Temperature = float.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--seed" => arguments with { Seed = uint.Parse(Value(), CultureInfo.InvariantCulture) },
                    "-ot" => arguments with { Placement = TensorPlacement.Parse(Value()) },
                    "--rpc" => arguments with { RpcServer = Value() },
                    "--verbose" => arguments with { IsVerbose = true },
                    _ => throw new FormatException($"unknown argument {word}"),
                };
            }

            if (arguments.Model.Length == 0)
            {
                throw new FormatException("--model is missing");
            }
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or PlacementException)
        {
            Console.Error.WriteLine($"error: {exception.Message}{Environment.NewLine}{Usage}");
            Environment.Exit(2);
            throw;
        }

        // This is checked before the model is loaded.
        if (!File.Exists(arguments.Model))
        {
            Console.Error.WriteLine($"error: The model file '{arguments.Model}' does not exist.");
            Environment.Exit(1);
        }

        return arguments;
    }

    /// <summary>Creates the logger factory, which logs everything to the console with <c>--verbose</c>, and only errors without it.</summary>
    public ILoggerFactory OpenLogs() => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(IsVerbose ? LogLevel.Debug : LogLevel.Error)
        .AddSimpleConsole(options => options.SingleLine = true));
}
