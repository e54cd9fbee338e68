using System.CommandLine;
using System.Globalization;
using MoeOffload.Cli.Errors;
using MoeOffload.Schemas;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the sampling options, with llama.cpp's names.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<double?> _temperature = Opt.Number("T", "The sampling temperature; lower values favor probable tokens, and 0 always takes the most probable one", 0, 100, "--temperature", "--temp");
    private readonly Option<int?> _topK = Opt.Integer("N", "Sample from the N most probable tokens only; 0 keeps all", 0, int.MaxValue, "--top-k");
    private readonly Option<double?> _topP = Opt.Number("P", "Sample from the most probable tokens whose probabilities add up to P", 0, 1, "--top-p");
    private readonly Option<double?> _minP = Opt.Number("P", "Drop tokens less probable than P times the most probable one", 0, 1, "--min-p");
    private readonly Option<double?> _repeat = Opt.Number("F", "Divide the logits of recent tokens by F; 1 disables the penalty", 0.01, 100, "--repeat-penalty");
    private readonly Option<double?> _presence = Opt.Number("A", "Subtract A from the logits of tokens that have occurred", -100, 100, "--presence-penalty");
    private readonly Option<double?> _frequency = Opt.Number("A", "Subtract A from the logit of a token each time that it has occurred", -100, 100, "--frequency-penalty");

    private readonly Option<uint?> _seed = Opt.Parsed<uint?>(
        "N", "The random seed; the default of -1 chooses one at random", ReadSeed, "a whole number from 0 to 4294967295, or -1", "--seed", "-s");

    private readonly Option<string?> _grammar = Opt.Text("GBNF", "Constrain the output to a GBNF grammar", "--grammar");
    private readonly Option<string?> _grammarFile = Opt.Text("PATH", "Constrain the output to the GBNF grammar in a file", "--grammar-file");
    private readonly Option<string?> _schema = Opt.Text("SCHEMA", "Constrain the output to a JSON schema", "--json-schema", "-j");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _temperature, _topK, _topP, _minP, _repeat, _presence, _frequency, _seed, _grammar, _grammarFile, _schema })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (new Option<string?>[] { _grammar, _grammarFile, _schema }.Count(option => result.GetValue(option) is not null) > 1)
            {
                result.AddError("--grammar, --grammar-file and --json-schema cannot be combined: use one of them.");
            }
        });
    }

    /// <summary>Reads the options of a command.</summary>
    /// <exception cref="IOException">The grammar's file cannot be read.</exception>
    /// <exception cref="UsageException">The grammar is not valid.</exception>
    public SamplingOptions Read(ParseResult parsed)
    {
        var defaults = new SamplingOptions();
        var penalties = new PenaltiesSampler
        {
            Repeat = (float)(parsed.GetValue(_repeat) ?? 1),
            Presence = (float)(parsed.GetValue(_presence) ?? 0),
            Frequency = (float)(parsed.GetValue(_frequency) ?? 0),
        };
        var sampling = new SamplingOptions
        {
            Temperature = (float?)parsed.GetValue(_temperature) ?? defaults.Temperature,
            TopK = parsed.GetValue(_topK) ?? defaults.TopK,
            TopP = (float?)parsed.GetValue(_topP) ?? defaults.TopP,
            MinP = (float?)parsed.GetValue(_minP) ?? defaults.MinP,
            Penalties = penalties == new PenaltiesSampler() ? null : penalties,
            Seed = parsed.GetValue(_seed) is { } seed && seed != uint.MaxValue ? seed : null,
            Grammar = parsed.GetValue(_grammarFile) is { } path ? File.ReadAllText(path) : parsed.GetValue(_grammar),
        };
        try
        {
            sampling.Validate();
        }
        catch (ArgumentException error) when (error.InnerException is FormatException reason)
        {
            throw new UsageException($"{(parsed.GetValue(_grammarFile) is null ? _grammar : _grammarFile).Name}: {reason.Message}.");
        }

        return sampling;
    }

    /// <summary>Reads the JSON schema that the text must follow; null if there is none.</summary>
    /// <exception cref="UsageException">The schema is not valid, or cannot be expressed by a grammar.</exception>
    public JsonSchema? ReadSchema(ParseResult parsed)
    {
        try
        {
            return parsed.GetValue(_schema) is { } schema ? JsonSchema.Parse(schema) : null;
        }
        catch (ArgumentException error)
        {
            throw new UsageException($"{_schema.Name}: {error.Message}");
        }
    }

    // In llama.cpp, the largest number means a random seed.
    private static uint? ReadSeed(string text) => text == "-1" ? uint.MaxValue
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint seed) ? seed
        : null;
}
