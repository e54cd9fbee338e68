using System.CommandLine;
using MoeOffload.Measurement.Benches;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of <c>moe bench memory</c>.</summary>
/// <param name="names">The names of the options.</param>
internal sealed class MemoryArguments(BenchNames names) : IBenchSettings
{
    private readonly Option<int?> _rounds = Opt.Integer("N", "The number of loads in each placement; the default is 1", 1, 1000, names["rounds"]);
    private readonly Option<int?> _maxTokens = Opt.Integer("N", "The number of tokens to generate while the peak is measured; the default is 32", 1, 1 << 20, names["max-tokens"], names.Short("-n"));

    public IEnumerable<Option> Options => [_rounds, _maxTokens];

    public IBench Make(BenchSubject subject, ParseResult parsed)
    {
        var usual = new MemoryOptions { Subject = subject };
        return new MemoryBench(usual with { Rounds = parsed.GetValue(_rounds) ?? usual.Rounds, MaxTokens = parsed.GetValue(_maxTokens) ?? usual.MaxTokens });
    }
}
