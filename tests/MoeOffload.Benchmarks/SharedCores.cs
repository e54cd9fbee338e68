namespace MoeOffload.Benchmarks;

/// <summary>
/// Measures prompt and decode tokens/s beside busy processes: ours with the default number of threads, against others with the number of
/// threads that is best for each beside these processes. Also measures how evenly tokens come, and what is left to the busy processes.
/// </summary>
/// <param name="openMPBench">The path of a <c>llama-bench</c> that was built with OpenMP, or null.</param>
/// <param name="pairs">The number of rounds.</param>
internal sealed class SharedCores(string? openMPBench, int pairs)
{
    private const int PromptTokens = 256;
    private const int DecodeTokens = 256;
    private static readonly int[] s_busy = [0, 1, 2, 4];
    private static readonly int[] s_threads = [1, 2];
    private static readonly TimeSpan s_plainTime = TimeSpan.FromSeconds(1);

    // Others get the cores for some milliseconds at a time, so that a measurement that is short on an idle machine would say little.
    private static readonly TimeSpan s_leastTime = TimeSpan.FromSeconds(1);
    private const int MostRepeats = 100;

    // Threads that wait for each other can be slower by orders of magnitude beside busy processes, so hopeless numbers of threads are tried only once.
    private const int TrialTokens = 32;
    private const double Hopeless = 0.5;

    private int _prompts = 1;
    private int _generations = 1;

    /// <summary>Measures a model, whose name the samples lack.</summary>
    public List<SharedSample> Run(string path)
    {
        using MoeModel model = MoeModel.Load(path);
        using GenerationSession session = model.CreateSession(new ContextOptions
        {
            ContextLength = PromptTokens + DecodeTokens,
            PrefixCache = { Enabled = false },
        });
        ChooseRepeats(session, model.Vocabulary.Size);
        List<SharedSample> samples = [];
        foreach (int busy in s_busy)
        {
            List<BusyProcess> others = [.. Enumerable.Range(0, busy).Select(_ => new BusyProcess())];
            try
            {
                samples.AddRange(Run(session, model.Vocabulary.Size, path, others).Select(sample => sample with { Busy = busy }));
                Console.WriteLine($"  beside {busy}: measured; {session.Statistics.ThreadCount} thread(s) at the end");
            }
            finally
            {
                others.ForEach(other => other.Dispose());
            }
        }

        return samples;
    }

    private IEnumerable<SharedSample> Run(GenerationSession session, int vocabulary, string path, List<BusyProcess> others)
    {
        var ours = new Rates();
        List<double> unevenness = [];
        List<double> left = [];
        List<double> leftByPlain = [];
        List<Rival> rivals = [.. FindRivals(path).GroupBy(rival => rival.Name).SelectMany(FindHopeful)];
        Measure(session, vocabulary, new Rates(), new StepTimes());
        for (int pair = 0; pair < pairs; pair++)
        {
            var steps = new StepTimes();
            left.Add(BusyProcess.Measure(others, () => Measure(session, vocabulary, ours, steps)));
            unevenness.Add(steps.Unevenness);
            rivals.ForEach(rival => rival.Measure(_prompts, _generations));
            if (others.Count > 0)
            {
                using var plain = new BusyProcess();
                leftByPlain.Add(BusyProcess.Measure(others, () => Thread.Sleep(s_plainTime)));
            }
        }

        foreach ((string program, int? threads, Rates rates) in rivals.Select(rival => (rival.Name, (int?)rival.Threads, rival.Rates)).Prepend((SharedSample.Ours, null, ours)))
        {
            yield return Sample(program, threads, SharedSample.Prompt, rates.Prompt);
            yield return Sample(program, threads, SharedSample.Decode, rates.Decode);
        }

        yield return Sample(SharedSample.Ours, null, SharedSample.Unevenness, unevenness);
        if (others.Count > 0)
        {
            yield return Sample(SharedSample.Ours, null, SharedSample.Neighbors, left);
            yield return Sample(SharedSample.Plain, null, SharedSample.Neighbors, leftByPlain);
        }

        static SharedSample Sample(string program, int? threads, string measure, List<double> rounds) => new("", 0, program, threads, measure, rounds);
    }

    private IEnumerable<Rival> FindRivals(string path)
    {
        foreach (int threads in s_threads)
        {
            yield return new Rival("llama-bench", threads, (prompt, decode, repeats) => LlamaBench.Measure(path, prompt, decode, repeats, threads));
            if (openMPBench is not null)
            {
                yield return new Rival(
                    "llama-bench with OpenMP", threads, (prompt, decode, repeats) => LlamaBench.Measure(path, prompt, decode, repeats, threads, openMPBench));
            }

            if (LlamaSharp.IsBuilt)
            {
                yield return new Rival(
                    "LLamaSharp", threads, (prompt, decode, repeats) => LlamaSharp.MeasureRates(path, prompt > 0 ? prompt : 1, decode, repeats, threads));
            }
        }
    }

    // Others can be best with one number of threads for prompts, and with another one for decoding.
    private static IEnumerable<Rival> FindHopeful(IEnumerable<Rival> sameProgram)
    {
        List<(Rival Rival, double Prompt, double Decode)> tried = [.. sameProgram.Select(rival => rival.Try())];
        double prompt = tried.Max(trial => trial.Prompt);
        double decode = tried.Max(trial => trial.Decode);
        return tried.Where(trial => trial.Prompt >= Hopeless * prompt || trial.Decode >= Hopeless * decode).Select(trial => trial.Rival);
    }

    private void ChooseRepeats(GenerationSession session, int vocabulary)
    {
        _prompts = _generations = 1;
        var rates = new Rates();
        for (int round = 0; round < 3; round++)
        {
            Measure(session, vocabulary, rates, new StepTimes());
        }

        _prompts = Fill(PromptTokens, rates.Prompt[^1]);
        _generations = Fill(DecodeTokens, rates.Decode[^1]);

        static int Fill(int tokens, double rate) => Math.Clamp((int)Math.Ceiling(s_leastTime.TotalSeconds * rate / tokens), 1, MostRepeats);
    }

    private void Measure(GenerationSession session, int vocabulary, Rates rates, StepTimes steps)
    {
        var random = new Random(1);
        int[] prompt = [.. Enumerable.Range(0, PromptTokens).Select(_ => random.Next(vocabulary))];
        rates.Prompt.Add(Samples.Rate(
            [.. Enumerable.Range(0, _prompts).Select(_ => PromptTokens / Generate(session, prompt, 1, new StepTimes()).TimeToFirstToken.TotalSeconds)]));
        rates.Decode.Add(Samples.Rate(
            [.. Enumerable.Range(0, _generations).Select(_ => Generate(session, prompt[..1], DecodeTokens + 1, steps).TokensPerSecond)]));
    }

    private static GenerationStatistics Generate(GenerationSession session, int[] prompt, int tokens, StepTimes steps)
    {
        using TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = tokens,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
        });
        steps.ReadAsync(stream).GetAwaiter().GetResult();
        return stream.Statistics!;
    }

    private sealed class Rates
    {
        public List<double> Prompt { get; } = [];

        public List<double> Decode { get; } = [];
    }

    /// <summary>Represents another program with one number of threads.</summary>
    /// <param name="Name">The name of the program.</param>
    /// <param name="Threads">The number of threads.</param>
    /// <param name="Run">Measures a prompt of so many tokens, or decoding of so many, so many times.</param>
    private sealed record Rival(string Name, int Threads, Func<int, int, int, double[]> Run)
    {
        public Rates Rates { get; } = new();

        public void Measure(int prompts, int generations)
        {
            Rates.Prompt.Add(TryRun(PromptTokens, 0, prompts));
            Rates.Decode.Add(TryRun(0, DecodeTokens, generations));
        }

        public (Rival Rival, double Prompt, double Decode) Try() => (this, TryRun(PromptTokens, 0, 1), TryRun(0, TrialTokens, 1));

        private double TryRun(int promptTokens, int decodeTokens, int repeats)
        {
            try
            {
                return Samples.Rate(Run(promptTokens, decodeTokens, repeats));
            }
            catch (TimeoutException)
            {
                // With more threads than there are cores left, some programs hardly get anything done.
                return 0;
            }
        }
    }
}
