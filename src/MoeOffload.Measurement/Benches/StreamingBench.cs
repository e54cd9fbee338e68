using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>
/// Represents <c>moe bench streaming</c>, which sends prompts over HTTP, streamed and not, in each placement. The order rotates with each
/// round, so that slow changes of the machine's speed affect all measurements equally. The prefix cache is not used, and loading is not
/// timed.
/// </summary>
/// <param name="options">What to measure.</param>
/// <param name="serving">Starts the servers.</param>
internal sealed class StreamingBench(StreamingOptions options, IModelServing serving) : IBench
{
    private const int WarmUpTokens = 8;

    private static readonly bool[] s_streams = [true, false];

    public string Name => "streaming";

    public async Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken)
    {
        log = options.Subject.Head(Name, log);
        ContextOptions context = ServerContext(options.Subject.Context);
        IReadOnlyList<BenchPlacement> placements = options.Subject.Placements();
        bool together = options.Subject.FitTogether(placements, context);
        Ask[] asks = [.. together ? AsksByPrompt(placements) : AsksByPlacement(placements)];
        int done = 0;
        var servers = new BenchServers(serving, options.Subject.Path, context, together);
        await using (servers.ConfigureAwait(false))
        {
            for (int round = 0; round < options.Rounds; round++)
            {
                foreach (Ask ask in round % 2 == 0 ? asks : [.. asks.Reverse()])
                {
                    progress.Report(new BenchProgress(done++, options.Rounds * asks.Length, $"round {round + 1}, {ask.Placement.Name}, {ask.Prompt.Name}"));
                    BenchServer server = await servers.GetAsync(ask.Placement, WarmUpAsync, cancellationToken).ConfigureAwait(false);
                    CompletionTiming timing = await AskAsync(server, ask.Prompt, options.MaxTokens, round, ask.Stream, cancellationToken).ConfigureAwait(false);
                    log.Add(Sample(round, ask, timing));
                }
            }
        }

        async Task WarmUpAsync(BenchServer server)
        {
            foreach (bool stream in s_streams)
            {
                await AskAsync(server, StreamingPrompt.All[0], WarmUpTokens, 0, stream, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public IBenchReport Report(SampleSet samples) => new StreamingReport(samples);

    // Uses the server's default number of concurrent requests, although only one request is sent at a time.
    private ContextOptions ServerContext(ContextOptions context)
    {
        ContextOptions usual = serving.UsualContext;
        return context with
        {
            SequenceCount = usual.SequenceCount,
            KvCache = context.KvCache with { Unified = usual.KvCache.Unified },
            PrefixCache = new PrefixCacheOptions { Enabled = false },
        };
    }

    private static IEnumerable<Ask> AsksByPrompt(IReadOnlyList<BenchPlacement> placements) =>
        from prompt in StreamingPrompt.All
        from placement in placements
        from stream in s_streams
        select new Ask(placement, prompt, stream);

    private static IEnumerable<Ask> AsksByPlacement(IReadOnlyList<BenchPlacement> placements) =>
        from placement in placements
        from prompt in StreamingPrompt.All
        from stream in s_streams
        select new Ask(placement, prompt, stream);

    // All requests of a round have the same seed, so that they generate the same text if the logits agree.
    private Task<CompletionTiming> AskAsync(BenchServer server, StreamingPrompt prompt, int maxTokens, int round, bool stream, CancellationToken cancellationToken) =>
        server.AskAsync(prompt.Text, maxTokens, options.Temperature, (uint)round, stream, cancellationToken);

    private JsonObject Sample(int round, Ask ask, CompletionTiming timing)
    {
        double? first = timing.Pieces.Count > 0 ? timing.Pieces[0].TotalMilliseconds : null;
        double? decode = timing.Pieces.Count > 1 ? (timing.Pieces[^1] - timing.Pieces[0]).TotalMilliseconds : null;
        return new JsonObject
        {
            ["round"] = round,
            ["placement"] = ask.Placement.Name,
            ["prompt"] = ask.Prompt.Name,
            ["prompt_tokens"] = timing.PromptTokens,
            ["stream"] = ask.Stream,
            ["max_tokens"] = options.MaxTokens,
            ["temperature"] = Math.Round(options.Temperature, 3),
            ["seed"] = round,
            ["tokens"] = timing.Tokens,
            ["pieces"] = timing.Pieces.Count,
            ["ttft_ms"] = Rounded(first),
            ["total_ms"] = Rounded(timing.Total.TotalMilliseconds),
            ["prompt_tokens_per_second"] = Rounded(1000 * timing.PromptTokens / first),
            ["decode_tokens_per_second"] = Rounded(1000 * (timing.Tokens - 1) / decode),
            ["tokens_per_second"] = Rounded(1000 * timing.Tokens / timing.Total.TotalMilliseconds),
            ["gaps_ms"] = new JsonArray([.. timing.Pieces.Zip(timing.Pieces.Skip(1), (one, next) => (JsonNode?)Rounded((next - one).TotalMilliseconds))]),
        };
    }

    private static double? Rounded(double? value) => value is { } number && double.IsFinite(number) ? Math.Round(number, 3) : null;

    private sealed record Ask(BenchPlacement Placement, StreamingPrompt Prompt, bool Stream);
}
