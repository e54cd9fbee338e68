using System.CommandLine;
using MoeOffload.Measurement.Benches;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of <c>moe bench quality</c>.</summary>
/// <param name="names">The names of the options.</param>
internal sealed class QualityArguments(BenchNames names) : IBenchSettings
{
    private readonly Option<string?> _text = Opt.Text("FILE", "The text for perplexity and logits; the default is a text that the command contains", names["text"]);
    private readonly Option<int?> _window = Opt.Integer("N", "The number of tokens in each window of the text; the default is 256", 4, 1 << 16, names["window"]);
    private readonly Option<int?> _windows = Opt.Integer("N", "The maximum number of windows; the default is 64", 1, 1 << 20, names["windows"]);
    private readonly Option<int?> _positions = Opt.Integer("N", "The maximum number of positions whose logits are compared; the default is 256", 1, 1 << 20, names["positions"]);
    private readonly Option<int?> _greedy = Opt.Integer("N", "The number of tokens in each greedy text; the default is 100", 1, 1 << 16, names["max-tokens"], names.Short("-n"));

    public IEnumerable<Option> Options => [_text, _window, _windows, _positions, _greedy];

    public IBench Make(BenchSubject subject, ParseResult parsed)
    {
        var usual = new QualityOptions { Subject = subject };
        return new QualityBench(usual with
        {
            Text = parsed.GetValue(_text) is { } file ? File.ReadAllText(file) : usual.Text,
            WindowTokens = parsed.GetValue(_window) ?? usual.WindowTokens,
            MaxWindows = parsed.GetValue(_windows) ?? usual.MaxWindows,
            MaxPositions = parsed.GetValue(_positions) ?? usual.MaxPositions,
            GreedyTokens = parsed.GetValue(_greedy) ?? usual.GreedyTokens,
        });
    }
}
