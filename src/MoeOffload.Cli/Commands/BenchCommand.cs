using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Statistics;

namespace MoeOffload.Cli.Commands;

/// <summary>
/// Implements <c>moe bench</c>, which measures how fast a model is on this machine. Loading is not timed, the prefix cache is not used, tokens
/// are the model's own, and each figure has its spread.
/// </summary>
internal sealed class BenchCommand : ICliCommand
{
    private const string Text = "The ship left the harbour at dawn, and nobody on board knew where the old map would lead them. ";

    private readonly ModelOpener _opener;
    private readonly Option<int?> _maxTokens = Opt.Integer("N", "The number of tokens to generate in each run; the default is 64", 2, 1 << 20, "--max-tokens", "-n");
    private readonly Option<int?> _promptTokens = Opt.Integer("N", "The number of tokens in the prompt of each run; the default is 512", 1, 1 << 20, "--prompt-tokens", "-p");
    private readonly Option<int?> _runs = Opt.Integer("N", "The number of measured runs, after one warm-up run; the default is 5", 1, 1000, "--runs");
    private readonly Option<bool> _json = Opt.Flag("Print the result as JSON", "--json");

    public BenchCommand(GlobalOptions global)
    {
        _opener = ModelOpener.ForAnswers(global);
        Command = new Command("bench", "Measure how fast a model is on this machine") { _maxTokens, _promptTokens, _runs, _json };
        _opener.AddTo(Command);
        Subcommands =
        [
            new MeasureCommand("streaming", "Measure answers over HTTP, streamed or not, with and without offloading", global, new StreamingArguments(BenchNames.Own)),
            new MeasureCommand("memory", "Measure the memory on each device, with and without offloading", global, new MemoryArguments(BenchNames.Own)),
            new MeasureCommand("quality", "Compare the output of a model with and without offloading", global, new QualityArguments(BenchNames.Own)),
            new MeasureCommand("sweep", "Measure the speed for different expert layers, micro-batches, threads and depths", global, new SweepArguments(BenchNames.Own)),
        ];
    }

    public Command Command { get; }

    public IReadOnlyList<ICliCommand> Subcommands { get; }

    public async Task<int> RunAsync(Invocation invocation)
    {
        ParseResult parsed = invocation.Parsed;
        int maxTokens = parsed.GetValue(_maxTokens) ?? 64;
        int promptTokens = parsed.GetValue(_promptTokens) ?? 512;
        int runs = parsed.GetValue(_runs) ?? 5;
        CatalogEntry entry = await _opener.FindAsync(invocation).ConfigureAwait(false);
        ContextOptions context = _opener.ContextOptions(invocation) with { PrefixCache = new PrefixCacheOptions { Enabled = false } };
        if (context.ContextLength == 0)
        {
            context = context with { ContextLength = promptTokens + maxTokens + 1 };
        }

        using OpenModel opened = await _opener.OpenAsync(invocation, entry, context).ConfigureAwait(false);
        (MoeModel model, GenerationSession session) = (opened.Model, opened.Session);
        var request = new GenerationRequest
        {
            PromptTokens = Prompt(model, promptTokens),
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            MaxTokens = maxTokens,
        };
        var results = new List<GenerationStatistics>();
        for (int run = 0; run <= runs; run++)
        {
            TokenStream stream = session.GenerateAsync(request, invocation.Cancelled);
            await foreach (GeneratedToken _ in stream.ConfigureAwait(false))
            {
            }

            // The first run is slower, because it reads pages and loads kernels.
            if (run > 0)
            {
                results.Add(stream.Statistics!);
            }
        }

        var read = Spread.Of(results.Select(result => result.PromptTokens / result.TimeToFirstToken.TotalSeconds));
        var first = Spread.Of(results.Select(result => result.TimeToFirstToken.TotalMilliseconds));
        var write = Spread.Of(results.Select(result => result.TokensPerSecond));
        if (parsed.GetValue(_json))
        {
            Json.Write(invocation.Terminal.Out, new JsonObject
            {
                ["model"] = entry.Name,
                ["path"] = entry.Path,
                ["description"] = model.Info.Description,
                ["placement"] = model.Placement.Rules.Count > 0 ? MemoryReport.Describe(model.Placement) : null,
                ["threads"] = session.Threads,
                ["micro_batch"] = session.MicroBatchSize,
                ["context_length"] = session.ContextLength,
                ["runs"] = runs,
                ["prompt_tokens"] = promptTokens,
                ["generated_tokens"] = results[0].GeneratedTokens,
                ["prompt_tokens_per_second"] = read.ToJson(),
                ["time_to_first_token_ms"] = first.ToJson(),
                ["tokens_per_second"] = write.ToJson(),
                ["memory"] = MemoryReport.Describe(session.Memory),
            });
            return ExitCode.Success;
        }

        TextWriter output = invocation.Terminal.Out;
        output.WriteLine($"{entry.Name}: {model.Info.Description}, {session.Threads} {(session.Threads == 1 ? "thread" : "threads")}, {runs} runs of {promptTokens} + {results[0].GeneratedTokens} tokens");
        var table = new Columns(string.Empty, ">median", ">least", ">most");
        table.Add("prompt, tokens/s", Number(read.Median), Number(read.Least), Number(read.Most));
        table.Add("first token, ms", Number(first.Median), Number(first.Least), Number(first.Most));
        table.Add("generation, tokens/s", Number(write.Median), Number(write.Least), Number(write.Most));
        table.WriteTo(output);
        return ExitCode.Success;
    }

    private static int[] Prompt(MoeModel model, int count)
    {
        int[] text = model.Vocabulary.Tokenize(Text);
        return [.. Enumerable.Range(0, count).Select(index => text[index % text.Length])];
    }

    private static string Number(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
}
