using System.CommandLine;
using MoeOffload.Cli.Serving;
using MoeOffload.Measurement.Benches;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of <c>moe bench streaming</c>.</summary>
/// <param name="names">The names of the options.</param>
internal sealed class StreamingArguments(BenchNames names) : IBenchSettings
{
    private readonly Option<int?> _rounds = Opt.Integer("N", "The number of rounds, each of which sends every prompt in every way; the default is 5", 1, 1000, names["rounds"]);
    private readonly Option<int?> _maxTokens = Opt.Integer("N", "The number of tokens in each answer; the default is 100", 2, 1 << 20, names["max-tokens"], names.Short("-n"));
    private readonly Option<double?> _temperature = Opt.Number("T", "The sampling temperature; the default is 0.3", 0, 100, names["temperature"], names.Short("--temp"));

    public IEnumerable<Option> Options => [_rounds, _maxTokens, _temperature];

    public IBench Make(BenchSubject subject, ParseResult parsed)
    {
        var usual = new StreamingOptions { Subject = subject };
        return new StreamingBench(usual with
        {
            Rounds = parsed.GetValue(_rounds) ?? usual.Rounds,
            MaxTokens = parsed.GetValue(_maxTokens) ?? usual.MaxTokens,
            Temperature = (float?)parsed.GetValue(_temperature) ?? usual.Temperature,
        }, new ModelServing());
    }
}
