using System.Text.Json.Nodes;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>
/// Represents <c>moe bench quality</c>, which compares the output of a model with its experts in system memory with that of the model on the
/// accelerator: greedily generated tokens, the distributions over a text, and the perplexity. The placements are loaded one after the other.
/// </summary>
/// <param name="options">What to measure.</param>
internal sealed class QualityBench(QualityOptions options) : IBench
{
    public string Name => "quality";

    public async Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken)
    {
        log = options.Subject.Head(Name, log);

        // The model on one device comes first, because it is the reference.
        BenchPlacement[] placements = [.. options.Subject.Placements().OrderBy(placement => placement.Name == BenchPlacement.Offload)];
        using var reference = new LogitsFile();
        var texts = new List<int[]>();
        for (int i = 0; i < placements.Length; i++)
        {
            var run = new Run(options, placements[i].Name, log, reference, texts, isReference: i == 0);
            using MoeModel model = await MoeModel.LoadAsync(options.Subject.Path, placements[i].Load, null, cancellationToken).ConfigureAwait(false);
            int[][] windows = Windows(model);
            GenerationSession session = await model.CreateSessionAsync(Context(), cancellationToken).ConfigureAwait(false);
            await using (session.ConfigureAwait(false))
            {
                int steps = QualityText.Prompts.Count + windows.Length;
                for (int step = 0; step < steps; step++)
                {
                    bool isText = step >= QualityText.Prompts.Count;
                    progress.Report(new BenchProgress((i * steps) + step, placements.Length * steps, $"{placements[i].Name}, {(isText ? "perplexity and logits" : "greedy text")}"));
                    await (isText
                        ? run.ReadAsync(session, windows, step - QualityText.Prompts.Count, cancellationToken)
                        : run.GenerateAsync(session, step, cancellationToken)).ConfigureAwait(false);
                }
            }
        }
    }

    public IBenchReport Report(SampleSet samples) => new QualityReport(samples);

    // As in llama.cpp's perplexity tool, the windows do not overlap, and each one begins with the tokens that begin a text.
    private int[][] Windows(MoeModel model)
    {
        int[] tokens = model.Vocabulary.Tokenize(options.Text);
        int count = Math.Min(options.MaxWindows, tokens.Length / options.WindowTokens);
        if (count == 0)
        {
            throw new ArgumentException(
                $"The text has {tokens.Length} tokens of this model, fewer than a window of {options.WindowTokens}: give a longer one, or shorter windows.");
        }

        int[][] windows = [.. Enumerable.Range(0, count).Select(window => tokens[(window * options.WindowTokens)..((window + 1) * options.WindowTokens)])];
        if (model.Vocabulary is { AddsBeginningOfSequence: true, BeginningOfSequence: { } beginning })
        {
            foreach (int[] window in windows)
            {
                window[0] = beginning;
            }
        }

        return windows;
    }

    private ContextOptions Context() => options.Subject.Context with
    {
        ContextLength = Math.Max(options.WindowTokens, 64 + options.GreedyTokens),
        SequenceCount = 1,
        LogitsPerStep = options.WindowTokens / 2,
        BatchSize = Math.Max(options.WindowTokens, options.Subject.Context.BatchSize ?? 0),
        PrefixCache = new PrefixCacheOptions { Enabled = false },
    };

    private sealed class Run(QualityOptions options, string placement, ISampleLog log, LogitsFile reference, List<int[]> texts, bool isReference)
    {
        private int _positions;

        public async Task GenerateAsync(GenerationSession session, int prompt, CancellationToken cancellationToken)
        {
            var tokens = new List<int>();
            TokenStream stream = session.GenerateAsync(
                QualityText.Prompts[prompt], SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, options.GreedyTokens, cancellationToken);
            await foreach (GeneratedToken token in stream.ConfigureAwait(false))
            {
                tokens.Add(token.Id);
            }

            if (isReference)
            {
                texts.Add([.. tokens]);
                return;
            }

            log.Add(new JsonObject
            {
                ["measure"] = "greedy",
                ["placement"] = placement,
                ["prompt"] = QualityText.Prompts[prompt],
                ["tokens"] = texts[prompt].Length,
                ["equal_tokens"] = texts[prompt].AsSpan().CommonPrefixLength(tokens.ToArray()),
            });
        }

        // Only the second half of each window is evaluated, so that every token has some text before it.
        public async Task ReadAsync(GenerationSession session, int[][] windows, int index, CancellationToken cancellationToken)
        {
            int[] tokens = windows[index];
            int start = tokens.Length / 2;
            double sum = 0;
            await session.ReadLogitsAsync(
                tokens,
                (position, logits) =>
                {
                    if (position == tokens.Length - 1)
                    {
                        return;
                    }

                    sum -= Logits.LogProbability(logits, tokens[position + 1]);
                    if (_positions < options.MaxPositions)
                    {
                        Compare(index, position, logits);
                    }
                },
                start,
                cancellationToken).ConfigureAwait(false);
            log.Add(new JsonObject
            {
                ["measure"] = "perplexity",
                ["placement"] = placement,
                ["window"] = index,
                ["tokens"] = tokens.Length - 1 - start,
                ["negative_log_likelihood"] = sum,
            });
        }

        private void Compare(int window, int position, ReadOnlySpan<float> logits)
        {
            int index = _positions++;
            if (isReference)
            {
                reference.Write(logits);
                return;
            }

            (double divergence, double most, bool same) = Logits.Compare(reference.Read(index, logits.Length), logits);
            log.Add(new JsonObject
            {
                ["measure"] = "logits",
                ["placement"] = placement,
                ["window"] = window,
                ["position"] = position,
                ["kl_divergence"] = divergence,
                ["max_difference"] = most,
                ["same_top"] = same,
            });
        }
    }
}
