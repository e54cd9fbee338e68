using System.Globalization;
using Microsoft.Extensions.Logging;
using MoeOffload;

namespace HelloMoe;

/// <summary>The command line.</summary>
internal sealed record Arguments
{
    private const string Usage = """
        usage: HelloMoe --model PATH.gguf [options]

          --prompt TEXT     what to say to the model               (Tell me a story about a brave fox named Tim.)
          --raw             continue the prompt as it is, without the model's chat template
          --tokens N        most tokens to generate                (256)
          --context N       context length in tokens               (4096, or what the model was trained for where that is less)
          --seed N          fixes the random choices               (random)
          -ot RULES         placement, as llama.cpp writes it      (--cpu-moe)
          --rpc HOST:PORT   a running ggml-rpc-server to use as the device, instead of a GPU or one that is started here
          --verbose         show the logs, llama.cpp's own included
        """;

    public string Model { get; private init; } = string.Empty;

    public string Prompt { get; private init; } = "Tell me a story about a brave fox named Tim.";

    public bool IsRaw { get; private init; }

    public int MaxTokens { get; private init; } = 256;

    public int? ContextLength { get; private init; }

    public uint? Seed { get; private init; }

    public TensorPlacement Placement { get; private init; } = TensorPlacement.ExpertsToCpu();

    public string? RpcServer { get; private init; }

    public bool IsVerbose { get; private init; }

    /// <summary>Reads the command line; one that cannot be read ends the program with the usage.</summary>
    public static Arguments Parse(string[] args)
    {
        var arguments = new Arguments();
        try
        {
            var words = new Queue<string>(args);
            while (words.TryDequeue(out string? word))
            {
                string Value() => words.TryDequeue(out string? value) ? value : throw new FormatException($"{word} needs a value");
                arguments = word switch
                {
                    "--model" or "-m" => arguments with { Model = Value() },
                    "--prompt" or "-p" => arguments with { Prompt = Value() },
                    "--raw" => arguments with { IsRaw = true },
                    "--tokens" or "-n" => arguments with { MaxTokens = int.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--context" or "-c" => arguments with { ContextLength = int.Parse(Value(), CultureInfo.InvariantCulture) },
                    "--seed" => arguments with { Seed = uint.Parse(Value(), CultureInfo.InvariantCulture) },
                    "-ot" => arguments with { Placement = TensorPlacement.Parse(Value()) },
                    "--rpc" => arguments with { RpcServer = Value() },
                    "--verbose" => arguments with { IsVerbose = true },
                    _ => throw new FormatException($"unknown argument {word}"),
                };
            }

            return arguments.Model.Length > 0 ? arguments : throw new FormatException("--model is missing");
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or PlacementException)
        {
            Console.Error.WriteLine($"error: {exception.Message}{Environment.NewLine}{Usage}");
            Environment.Exit(2);
            throw;
        }
    }

    /// <summary>Logs to standard error, all of them or warnings only.</summary>
    public ILoggerFactory OpenLogs() => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(IsVerbose ? LogLevel.Debug : LogLevel.Error)
        .AddSimpleConsole(options => options.SingleLine = true));
}
