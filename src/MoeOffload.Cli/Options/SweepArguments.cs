using System.CommandLine;
using System.Globalization;
using MoeOffload.Measurement.Benches;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of <c>moe bench sweep</c>.</summary>
/// <param name="names">The names of the options.</param>
internal sealed class SweepArguments(BenchNames names) : IBenchSettings
{
    private readonly Option<IReadOnlyList<string>?> _axes = Opt.Parsed<IReadOnlyList<string>>(
        "NAME,…", "The settings to vary; the default is all", ReadAxes, $"a comma-separated list of {string.Join(", ", SweepAxis.All)}", names["axes"]);

    private readonly Option<int?> _rounds = Opt.Integer("N", "The number of measurements of each point; the default is 3", 1, 1000, names["rounds"]);
    private readonly Option<int?> _promptTokens = Opt.Integer("N", "The number of tokens in each prompt; the default is 512", 1, 1 << 20, names["prompt-tokens"], names.Short("-p"));
    private readonly Option<int?> _maxTokens = Opt.Integer("N", "The number of tokens to generate after each prompt; the default is 32", 2, 1 << 20, names["max-tokens"], names.Short("-n"));
    private readonly Option<IReadOnlyList<int>?> _expertLayers = Numbers("The numbers of layers whose experts are in system memory", 0, 512, names["expert-layers"]);
    private readonly Option<IReadOnlyList<int>?> _microBatches = Numbers("The micro-batch sizes: how many tokens are computed at once", 1, 1 << 20, names["micro-batches"]);
    private readonly Option<IReadOnlyList<int>?> _threads = Numbers("The numbers of CPU threads", 1, 512, names["thread-counts"]);
    private readonly Option<IReadOnlyList<int>?> _depths = Numbers("The numbers of tokens in the context before the prompt", 0, 1 << 24, names["depths"]);
    private readonly Option<string?> _peer = Opt.Text("PATH", "The path of llama.cpp's llama-bench, to measure each point with it too", names["peer"]);

    public IEnumerable<Option> Options => [_axes, _rounds, _promptTokens, _maxTokens, _expertLayers, _microBatches, _threads, _depths, _peer];

    public IBench Make(BenchSubject subject, ParseResult parsed)
    {
        var usual = new SweepOptions { Subject = subject };
        return new SweepBench(usual with
        {
            Axes = parsed.GetValue(_axes) ?? usual.Axes,
            Rounds = parsed.GetValue(_rounds) ?? usual.Rounds,
            PromptTokens = parsed.GetValue(_promptTokens) ?? usual.PromptTokens,
            GeneratedTokens = parsed.GetValue(_maxTokens) ?? usual.GeneratedTokens,
            ExpertLayers = parsed.GetValue(_expertLayers),
            MicroBatches = parsed.GetValue(_microBatches),
            Threads = parsed.GetValue(_threads),
            Depths = parsed.GetValue(_depths),
            PeerPath = parsed.GetValue(_peer),
        });
    }

    private static string[]? ReadAxes(string text)
    {
        string[] names = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return names.Length > 0 && names.All(SweepAxis.All.Contains) ? names : null;
    }

    private static Option<IReadOnlyList<int>?> Numbers(string description, int least, int most, string name) => Opt.Parsed<IReadOnlyList<int>>(
        "N,…",
        description,
        text =>
        {
            int[] numbers = [.. text.Split(',').Select(part =>
                int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most ? number : -1)];
            return numbers.Contains(-1) ? null : numbers;
        },
        string.Create(CultureInfo.InvariantCulture, $"a comma-separated list of whole numbers from {least} to {most}"),
        name);
}
