using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>
/// Cases in which a plan is compared with the resident memory of the processes. Each is measured in a process of its own, after another model
/// was loaded and used, so that what grows is the model.
/// </summary>
public static class SystemCases
{
    private static readonly ContextOptions s_context = new()
    {
        ContextLength = 4096,
        MicroBatchSize = 512,
        Threads = new ThreadOptions { Decode = 2, Prompt = 2 },
        PrefixCache = new PrefixCacheOptions { Enabled = false },
    };

    private static readonly One[] s_all =
    [
        new("Qwen3-MoE in Q8_0, CPU", () => TinyModels.Benchmark(), s_context, 0),
        new("the same, a context of 16384 tokens in q8_0", () => TinyModels.Benchmark(), s_context with { ContextLength = 16384, KvCache = Cache(GgmlType.Q8_0) }, 0),
        new("the same, 4 requests, micro-batches of 2048", () => TinyModels.Benchmark(), s_context with { ContextLength = 8192, SequenceCount = 4, MicroBatchSize = 2048 }, 0),
        new("Qwen3-MoE in Q4_0, which is repacked, CPU", () => TinyModels.Benchmark(GgmlType.Q4_0), s_context, 0),
        new("GPT-OSS in MXFP4, 32768 tokens in the vocabulary, CPU", GptOss, s_context, 0),
        new("Qwen3-MoE in Q8_0, one RPC server", () => TinyModels.Benchmark(), s_context, 1),
        new("the same, experts in system memory", () => TinyModels.Benchmark(), s_context, 1) { Placement = TensorPlacement.ExpertsToCpu() },
        new("the same, two RPC servers", () => TinyModels.Benchmark(), s_context, 2),
    ];

    /// <summary>Gets the number of cases.</summary>
    public static int Count => s_all.Length;

    /// <summary>Measures a case in this process.</summary>
    public static IReadOnlyList<SystemSample> Measure(int index)
    {
        One one = s_all[index];
        using var devices = new PlanDevices(one.Devices);
        ModelOptions options = devices.Options(one.Devices) with { Placement = one.Placement };
        Use(TinyModels.Qwen3Moe().Path, options, s_context, (_, _) => { });
        PlacementPlan plan = MoeModel.Fit(one.Model().Path, options, one.Context, new FitOptions { Margin = 0 });
        int[] processes = [.. devices.Servers.Select(server => server.ProcessId), Environment.ProcessId];
        GC.Collect();
        long[] before = [.. processes.Select(ResidentMemory.Of)];
        long[] after = [];
        Use(one.Model().Path, options.WithPlan(plan), one.Context, (_, _) =>
        {
            GC.Collect();
            after = [.. processes.Select(ResidentMemory.Of)];
        });
        return [.. plan.Memory.Select((use, i) => new SystemSample(one.Name, i < devices.Servers.Count ? "ggml-rpc-server" : "moe", use.TotalBytes, after[i] - before[i]))];
    }

    // A prompt of a whole micro-batch at the end of the context uses all of the buffers.
    private static void Use(string path, ModelOptions options, ContextOptions context, Action<MoeModel, GenerationSession> then)
    {
        using MoeModel model = MoeModel.Load(path, options);
        using GenerationSession session = model.CreateSession(context);
        var random = new Random(1);
        int[] prompt = [.. Enumerable.Range(0, session.SequenceLength - 8).Select(_ => random.Next(256, model.Vocabulary.Size - 16))];
        TokenStream[] streams = [.. Enumerable.Range(0, context.SequenceCount).Select(_ => session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = 4,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
        }))];
        Task.WhenAll(streams.Select(stream => Task.Run(() =>
        {
            foreach (GeneratedToken _ in stream.ToBlockingEnumerable())
            {
            }
        }))).GetAwaiter().GetResult();
        then(model, session);
    }

    private static TinyModel GptOss() => TinyModels.GptOss(new TinyModelOptions
    {
        WeightType = GgmlType.MXFP4,
        EmbeddingLength = 512,
        ExpertFeedForwardLength = 256,
        Layers = 6,
        VocabularySize = 32768,
    });

    private static KvCacheOptions Cache(GgmlType type) => new() { KeyType = type, ValueType = type };

    private sealed record One(string Name, Func<TinyModel> Model, ContextOptions Context, int Devices)
    {
        public TensorPlacement Placement { get; init; } = TensorPlacement.Default;
    }
}
