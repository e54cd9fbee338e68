using System.CommandLine;
using System.Globalization;
using MoeOffload.Cli.Errors;
using MoeOffload.Schemas;

namespace MoeOffload.Cli.Options;

/// <summary>How tokens are chosen, with llama.cpp's names.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<double?> _temperature = Opt.Number("T", "Below 1 probable tokens gain, 0 takes the most probable one", 0, 100, "--temperature", "--temp");
    private readonly Option<int?> _topK = Opt.Integer("N", "How many of the most probable tokens are kept; 0 is all", 0, int.MaxValue, "--top-k");
    private readonly Option<double?> _topP = Opt.Number("P", "The most probable tokens are kept that add up to P", 0, 1, "--top-p");
    private readonly Option<double?> _minP = Opt.Number("P", "Tokens are kept that have this share of the best one's probability", 0, 1, "--min-p");
    private readonly Option<double?> _repeat = Opt.Number("F", "Divides the logits of tokens that occurred lately", 0.01, 100, "--repeat-penalty");
    private readonly Option<double?> _presence = Opt.Number("A", "Taken from the logits of tokens that occurred", -100, 100, "--presence-penalty");
    private readonly Option<double?> _frequency = Opt.Number("A", "Taken for each time that a token occurred", -100, 100, "--frequency-penalty");

    private readonly Option<uint?> _seed = Opt.Parsed<uint?>(
        "N", "Fixes the random choices; -1, the default, is a random seed", ReadSeed, "a whole number from 0 to 4294967295, or -1", "--seed", "-s");

    private readonly Option<string?> _grammar = Opt.Text("GBNF", "A grammar that the text follows", "--grammar");
    private readonly Option<string?> _grammarFile = Opt.Text("PATH", "A file with a grammar that the text follows", "--grammar-file");
    private readonly Option<string?> _schema = Opt.Text("SCHEMA", "A JSON schema that the text follows", "--json-schema", "-j");

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
                result.AddError("--grammar, --grammar-file and --json-schema exclude each other.");
            }
        });
    }

    /// <summary>Reads the options of a command.</summary>
    /// <exception cref="IOException">The grammar's file cannot be read.</exception>
    public SamplingOptions Read(ParseResult parsed)
    {
        var defaults = new SamplingOptions();
        var penalties = new PenaltiesSampler
        {
            Repeat = (float)(parsed.GetValue(_repeat) ?? 1),
            Presence = (float)(parsed.GetValue(_presence) ?? 0),
            Frequency = (float)(parsed.GetValue(_frequency) ?? 0),
        };
        return new SamplingOptions
        {
            Temperature = (float?)parsed.GetValue(_temperature) ?? defaults.Temperature,
            TopK = parsed.GetValue(_topK) ?? defaults.TopK,
            TopP = (float?)parsed.GetValue(_topP) ?? defaults.TopP,
            MinP = (float?)parsed.GetValue(_minP) ?? defaults.MinP,
            Penalties = penalties == new PenaltiesSampler() ? null : penalties,
            Seed = parsed.GetValue(_seed) is { } seed && seed != uint.MaxValue ? seed : null,
            Grammar = parsed.GetValue(_grammarFile) is { } path ? File.ReadAllText(path) : parsed.GetValue(_grammar),
        };
    }

    /// <summary>The JSON schema that the text is to follow; null where there is none.</summary>
    /// <exception cref="UsageException">The schema is not valid, or has something that no grammar can say.</exception>
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

    // The largest number is llama.cpp's own sign for a random seed.
    private static uint? ReadSeed(string text) => text == "-1" ? uint.MaxValue
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint seed) ? seed
        : null;
}
