using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>
/// Many requests at once for some time, as strangers would make them: random arrivals and lengths, cancelled ones, late ones, slow
/// readers, wrong grammars, prompts too long, a full queue, states saved and loaded meanwhile. Each text must be the one that it is alone.
/// </summary>
public sealed class Soak
{
    private const int Texts = 40;
    private const int TextLength = 64;
    private const int LongestPrompt = 300;
    private const int SequenceLength = 512;

    // A request that takes longer is lost: the longest wait is that of a full queue.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    private static readonly SpeculationOptions s_speculation = new() { MinAcceptanceRate = 0.2f };

    private readonly SoakReport _report = new();
    private readonly List<SoakText> _texts = [];
    private readonly List<GenerationSession> _sessions = [];
    private readonly int _workers;
    private readonly int _seed;
    private readonly bool _isTrained;

    private Soak(int workers, int seed, bool isTrained)
    {
        _workers = workers;
        _seed = seed;
        _isTrained = isTrained;
    }

    /// <summary>Runs.</summary>
    /// <param name="model">The model, such as <see cref="Model"/>.</param>
    /// <param name="duration">For how long requests are made.</param>
    /// <param name="workers">Clients that make them.</param>
    /// <param name="seed">Makes the same requests again, though not at the same moments.</param>
    /// <param name="isTrained">Whether prompts are of texts that the model writes, and not of random tokens.</param>
    public static async Task<SoakReport> RunAsync(MoeModel model, TimeSpan duration, int workers = 24, int seed = 1, bool isTrained = false)
    {
        var soak = new Soak(workers, seed, isTrained);
        await soak.PrepareAsync(model);
        await soak.WorkAsync(duration / 4);
        long before = MemoryInUse();
        await soak.WorkAsync(duration * 3 / 4);
        soak._report.Memory = (before, MemoryInUse());
        foreach (GenerationSession session in soak._sessions)
        {
            soak._report.Sessions.Enqueue(session.Statistics);
            await session.DisposeAsync();
        }

        return soak._report;
    }

    /// <summary>
    /// A model whose tokens all go through all experts: where rounding decides between two that are equally good, a text changes by more
    /// than rounding, and could not be told from one that is mixed up.
    /// </summary>
    public static TinyModel Model => TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 4, ExpertsUsed = 4 });

    private static ContextOptions Options(int sequences) => new()
    {
        ContextLength = SequenceLength * sequences,
        SequenceCount = sequences,
        QueueLimit = 6,
        PromptTokensPerStep = 64,
        Threads = { Decode = 1 },
    };

    private static async Task<int[]> WriteAsync(GenerationSession session, int length, int seed)
    {
        var tokens = new List<int>();
        await foreach (GeneratedToken token in session.GenerateAsync(new GenerationRequest
        {
            Prompt = "Once",
            MaxTokens = length,
            Sampling = new SamplingOptions { Temperature = 1, Seed = (uint)seed, IgnoreEndOfSequence = true },
        }))
        {
            tokens.Add(token.Id);
        }

        return [.. tokens];
    }

    private static long MemoryInUse()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private async Task PrepareAsync(MoeModel model)
    {
        ContextOptions options = Options(1) with { PrefixCache = new PrefixCacheOptions { Enabled = false } };
        using (GenerationSession alone = model.CreateSession(options))
        using (GenerationSession guessing = model.CreateSession(options with { BatchSize = 17, Speculation = s_speculation }))
        using (GenerationSession caching = model.CreateSession(Options(4) with { BatchSize = 70 }))
        {
            var random = new Random(_seed);
            for (int i = 0; i < Texts; i++)
            {
                // Some begin as others do.
                int[] begin = i > 4 && i % 2 == 0 ? _texts[random.Next(i)].Prompt : [];
                int length = random.Next(4, LongestPrompt);
                int[] rest = _isTrained ? await WriteAsync(alone, length, i) : [.. Enumerable.Range(0, length).Select(_ => random.Next(256, model.Vocabulary.Size))];
                int[] prompt = [.. begin[..random.Next(begin.Length + 1)], .. rest];
                prompt = prompt[..Math.Min(prompt.Length, LongestPrompt)];
                _texts.Add(await SoakText.MakeAsync(prompt, TextLength, alone, guessing, caching, caching));
            }
        }

        _sessions.Add(model.CreateSession(Options(4) with { PrefixCache = new PrefixCacheOptions { HostBytes = 16 << 20 } }));
        _sessions.Add(model.CreateSession(Options(4) with
        {
            KvCache = new KvCacheOptions { Unified = true },
            Speculation = s_speculation,
            PrefixCache = new PrefixCacheOptions { HostBytes = 1 << 20 },
        }));
    }

    private Task WorkAsync(TimeSpan duration)
    {
        long end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        return Task.WhenAll(Enumerable.Range(0, _workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random((_seed * 1000) + worker);
            while (Stopwatch.GetTimestamp() < end)
            {
                await Task.Delay(random.Next(40));
                await OneAsync(random);
            }
        })));
    }

    private async Task OneAsync(Random random)
    {
        GenerationSession session = _sessions[random.Next(_sessions.Count)];
        SoakText text = _texts[random.Next(Texts)];
        int length = random.Next(1, text.Length + 1);
        var request = new GenerationRequest
        {
            PromptTokens = text.Prompt,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            MaxTokens = length,
            Priority = random.Next(-1, 2),
        };
        int kind = random.Next(100);
        string name = kind switch
        {
            < 55 => "whole",
            < 67 => "cancelled",
            < 72 => "left early",
            < 82 => "late",
            < 87 => "wrong grammar",
            < 92 => "too long",
            < 97 => "slowly read",
            < 99 => "stopped by a string",
            _ => "state",
        };
        try
        {
            await (name switch
            {
                "cancelled" => CancelAsync(session, text, request, random.Next(60)),
                "left early" => ReadAsync(name, session, text, request, most: random.Next(1, length + 1)),
                "late" => ReadAsync(name, session, text, request with { Deadline = TimeSpan.FromMilliseconds(random.Next(1, 200)) }),
                "wrong grammar" => ExpectAsync<ArgumentException>(name, session, request with { Sampling = request.Sampling with { Grammar = "root ::= \"a" } }),
                "too long" => ExpectAsync<ContextFullException>(name, session, request with { PromptTokens = new int[(4 * SequenceLength) + 1] }),
                "slowly read" => ReadAsync(name, session, text, request, pause: random.Next(1, 8)),
                "stopped by a string" => ReadAsync(name, session, text, request with { StopStrings = ["e", "qqq"] }),
                "state" => StateAsync(session),
                _ => ReadAsync(name, session, text, request),
            }).WaitAsync(s_patience);
        }
        catch (QueueFullException)
        {
            _report.Count($"{name}, queue full");
            await Task.Delay(random.Next(200));
        }
        catch (TimeoutException)
        {
            _report.Faults.Enqueue($"{name}: lost, no end after {s_patience}");
        }
        catch (Exception exception)
        {
            _report.Faults.Enqueue($"{name}: {exception.GetType().Name}: {exception.Message}");
        }
    }

    private async Task ReadAsync(
        string name, GenerationSession session, SoakText text, GenerationRequest request, int most = int.MaxValue, int pause = 0, CancellationToken cancellationToken = default)
    {
        List<int> tokens = [];
        await using TokenStream stream = session.GenerateAsync(request, cancellationToken);
        try
        {
            await foreach (GeneratedToken token in stream)
            {
                tokens.Add(token.Id);
                if (tokens.Count >= most)
                {
                    break;
                }

                if (pause > 0)
                {
                    await Task.Delay(pause, CancellationToken.None);
                }
            }

            bool isWhole = stream.StopReason != StopReason.MaxTokens || tokens.Count >= Math.Min(most, request.MaxTokens!.Value);
            if (!isWhole)
            {
                _report.Faults.Enqueue($"{name}: {tokens.Count} tokens of {request.MaxTokens}");
            }

            _report.Count($"{name}, {stream.StopReason?.ToString() ?? "left"}");
        }
        finally
        {
            _report.Compare(name, text, tokens);
        }
    }

    private async Task CancelAsync(GenerationSession session, SoakText text, GenerationRequest request, int delay)
    {
        using var cancellation = new CancellationTokenSource(delay);
        try
        {
            await ReadAsync("cancelled", session, text, request, cancellationToken: cancellation.Token);
        }
        catch (OperationCanceledException exception) when (exception.CancellationToken == cancellation.Token)
        {
            _report.Count("cancelled, as asked");
        }
    }

    private async Task ExpectAsync<TException>(string name, GenerationSession session, GenerationRequest request)
        where TException : Exception
    {
        try
        {
            await using TokenStream stream = session.GenerateAsync(request);
            await foreach (GeneratedToken token in stream)
            {
                break;
            }

            _report.Faults.Enqueue($"{name}: was taken");
        }
        catch (TException)
        {
            _report.Count($"{name}, refused");
        }
    }

    private async Task StateAsync(GenerationSession session)
    {
        using var state = new MemoryStream();
        int saved = await session.SaveStateAsync(state, _texts[0].Prompt);
        state.Position = 0;
        int loaded = await session.LoadStateAsync(state);
        _report.Count("state, saved and loaded");
        if (loaded > saved)
        {
            _report.Faults.Enqueue($"state: {loaded} tokens were loaded, and {saved} saved");
        }
    }
}
