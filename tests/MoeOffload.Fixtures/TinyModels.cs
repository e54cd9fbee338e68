using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>
/// Small models with random weights and real architectures: expert counts as in the real ones, everything else small. A model
/// is written once per process, when its path is first asked for, into a folder that is removed when the process ends.
/// </summary>
public static class TinyModels
{
    private const string FolderPrefix = "MoeOffload größe ";

    private static readonly ConcurrentDictionary<(string Architecture, TinyModelOptions Options), TinyModel> s_made = new();
    private static readonly Lazy<string> s_folder = new(MakeFolder);
    private static int s_written;

    /// <summary>One model of each architecture, its matrices in F16.</summary>
    public static IReadOnlyList<TinyModel> All => Each(new TinyModelOptions());

    /// <summary>One model of each architecture in Q8_0 and one in Q4_0, and gpt-oss in MXFP4 as the real one.</summary>
    public static IReadOnlyList<TinyModel> Quantized =>
    [
        .. Each(new TinyModelOptions { WeightType = GgmlType.Q8_0 }),
        .. Each(new TinyModelOptions { WeightType = GgmlType.Q4_0 }),
        GptOss(new TinyModelOptions { WeightType = GgmlType.MXFP4 }),
    ];

    /// <summary>One model of each architecture, with the same options.</summary>
    public static IReadOnlyList<TinyModel> Each(TinyModelOptions options) =>
        [PhiMoe(options), GptOss(options), DeepSeek(options), Qwen3Moe(options), Olmoe(options), Llama(options)];

    /// <summary>Phi-3.5-MoE: 16 experts, 2 used; norms and attention with biases, SentencePiece vocabulary.</summary>
    public static TinyModel PhiMoe(TinyModelOptions? options = null) => Get("phimoe", options, TinyArchitectures.PhiMoe, it => new()
    {
        Architecture = "phimoe",
        Layers = it.Layers ?? 3,
        Experts = it.Experts ?? 16,
        ExpertsUsed = it.ExpertsUsed ?? 2,
        EmbeddingLength = it.EmbeddingLength ?? 256,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 64,
    });

    /// <summary>GPT-OSS: 32 experts, 4 used; biases everywhere, attention sinks, sliding window, YaRN.</summary>
    public static TinyModel GptOss(TinyModelOptions? options = null) => Get("gpt-oss", options, TinyArchitectures.GptOss, it => new()
    {
        Architecture = "gpt-oss",
        Layers = it.Layers ?? 4,
        Experts = it.Experts ?? 32,
        ExpertsUsed = it.ExpertsUsed ?? 4,
        EmbeddingLength = it.EmbeddingLength ?? 256,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 32,
    });

    /// <summary>DeepSeek-MoE: 64 experts, 6 used, 2 shared; the first layer is dense.</summary>
    public static TinyModel DeepSeek(TinyModelOptions? options = null) => Get("deepseek", options, TinyArchitectures.DeepSeek, it => new()
    {
        Architecture = "deepseek",
        Layers = it.Layers ?? 3,
        Experts = it.Experts ?? 64,
        ExpertsUsed = it.ExpertsUsed ?? 6,
        SharedExperts = 2,
        LeadingDenseLayers = 1,
        EmbeddingLength = it.EmbeddingLength ?? 256,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 32,
        KeyValueHeads = 4,
    });

    /// <summary>Qwen3-MoE: 128 experts, 8 used; heads wider than the hidden state, normalized queries and keys.</summary>
    public static TinyModel Qwen3Moe(TinyModelOptions? options = null) => Get("qwen3moe", options, TinyArchitectures.Qwen3Moe, it => new()
    {
        Architecture = "qwen3moe",
        Layers = it.Layers ?? 3,
        Experts = it.Experts ?? 128,
        ExpertsUsed = it.ExpertsUsed ?? 8,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        HeadLength = it.HeadLength ?? 64,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 32,
    });

    /// <summary>Qwen3-VL-MoE: Qwen3-MoE with positions in several dimensions (M-RoPE), for images.</summary>
    public static TinyModel Qwen3VlMoe(TinyModelOptions? options = null) =>
        Get("qwen3vlmoe", options, TinyArchitectures.Qwen3VlMoe, it => Qwen3Moe(it).Shape with { Architecture = "qwen3vlmoe" });

    /// <summary>OLMoE: 64 experts, 8 used; queries and keys normalized whole.</summary>
    public static TinyModel Olmoe(TinyModelOptions? options = null) => Get("olmoe", options, TinyArchitectures.Olmoe, it => new()
    {
        Architecture = "olmoe",
        Layers = it.Layers ?? 3,
        Experts = it.Experts ?? 64,
        ExpertsUsed = it.ExpertsUsed ?? 8,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 32,
        Heads = 2,
    });

    /// <summary>Llama: dense, or with experts as Mixtral where options ask for them; SentencePiece vocabulary.</summary>
    public static TinyModel Llama(TinyModelOptions? options = null) => Get("llama", options, TinyArchitectures.Llama, it => new()
    {
        Architecture = "llama",
        Layers = it.Layers ?? 3,
        Experts = it.Experts ?? 0,
        ExpertsUsed = it.ExpertsUsed ?? Math.Min(2, it.Experts ?? 0),
        EmbeddingLength = it.EmbeddingLength ?? 256,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 512,
    });

    /// <summary>GLM-4.5: shared experts, the first layer is dense, and one layer for multi-token prediction.</summary>
    public static TinyModel Glm4Moe(TinyModelOptions? options = null) => Get("glm4moe", options, TinyArchitectures.Glm4Moe, it => new()
    {
        Architecture = "glm4moe",
        Layers = it.Layers ?? 3,
        MtpLayers = it.MtpLayers ?? 1,
        Experts = it.Experts ?? 16,
        ExpertsUsed = it.ExpertsUsed ?? 4,
        SharedExperts = 1,
        LeadingDenseLayers = 1,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 32,
    });

    /// <summary>Step-3.5: sliding windows, and several layers for multi-token prediction, each for one token.</summary>
    public static TinyModel Step35(TinyModelOptions? options = null) => Get("step35", options, TinyArchitectures.Step35, it => new()
    {
        Architecture = "step35",
        Layers = it.Layers ?? 3,
        MtpLayers = it.MtpLayers ?? 3,
        Experts = it.Experts ?? 16,
        ExpertsUsed = it.ExpertsUsed ?? 4,
        SharedExperts = 1,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 32,
    });

    /// <summary>Qwen3.5-MoE: every second layer keeps a recurrent state, one layer for multi-token prediction.</summary>
    public static TinyModel Qwen35Moe(TinyModelOptions? options = null) => Get("qwen35moe", options, TinyArchitectures.Qwen35Moe, it => new()
    {
        Architecture = "qwen35moe",
        Layers = it.Layers ?? 4,
        MtpLayers = it.MtpLayers ?? 1,
        Experts = it.Experts ?? 16,
        ExpertsUsed = it.ExpertsUsed ?? 4,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 32,
    });

    /// <summary>BERT: an encoder, which embeds texts and continues none; attention in both directions, mean pooling.</summary>
    public static TinyModel Bert(TinyModelOptions? options = null) => Get("bert", options, TinyArchitectures.Bert, it => new()
    {
        Architecture = "bert",
        Layers = it.Layers ?? 2,
        Experts = 0,
        ExpertsUsed = 0,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 256,
        Heads = 2,
        KeyValueHeads = 2,
    });

    /// <summary>BERT with a classification head of one score, as rerankers have it.</summary>
    public static TinyModel BertReranker(TinyModelOptions? options = null) => Get("bert reranker", options, TinyArchitectures.BertReranker, it => Bert(it).Shape);

    /// <summary>Qwen3 with a head of two classes and a template for queries and documents, as its rerankers have them: a decoder that is dense.</summary>
    public static TinyModel Qwen3Reranker(TinyModelOptions? options = null) => Get("qwen3 reranker", options, TinyArchitectures.Qwen3Reranker, it => new()
    {
        Architecture = "qwen3",
        Layers = it.Layers ?? 2,
        Experts = 0,
        ExpertsUsed = 0,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        HeadLength = it.HeadLength ?? 64,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 128,
    });

    /// <summary>Mamba: no attention, but a recurrent state; llama.cpp keeps no KV cache for it.</summary>
    public static TinyModel Mamba(TinyModelOptions? options = null) => Get("mamba", options, TinyArchitectures.Mamba, it => new()
    {
        Architecture = "mamba",
        Layers = it.Layers ?? 2,
        Experts = 0,
        ExpertsUsed = 0,
        EmbeddingLength = it.EmbeddingLength ?? 128,
        ExpertFeedForwardLength = it.ExpertFeedForwardLength ?? 0,
        HeadLength = 32,
    });

    /// <summary>A Qwen3-MoE of more than 100 MB, with experts large enough that computing, not calling, takes the time.</summary>
    public static TinyModel Benchmark(GgmlType weightType = GgmlType.Q8_0) => Qwen3Moe(new TinyModelOptions
    {
        WeightType = weightType,
        Layers = 6,
        Experts = weightType is GgmlType.Q8_0 or GgmlType.F16 or GgmlType.F32 ? 64 : 128,
        EmbeddingLength = 512,
        ExpertFeedForwardLength = 192,
        VocabularySize = 4096,
    });

    /// <summary>Gives a path for a file that is removed when the process ends.</summary>
    public static string NewPath(string name) => Path.Combine(
        s_folder.Value, string.Create(CultureInfo.InvariantCulture, $"{name} {Interlocked.Increment(ref s_written)}.gguf"));

    private static TinyModel Get(
        string architecture,
        TinyModelOptions? options,
        Action<TinyModelWriter, TinyShape, TinyModelOptions> declare,
        Func<TinyModelOptions, TinyShape> shape) =>
        s_made.GetOrAdd((architecture, options ?? new TinyModelOptions()), key =>
            new TinyModel($"{architecture} {key.Options.WeightType}", shape(key.Options), key.Options, model => Write(model, declare)));

    private static string Write(TinyModel model, Action<TinyModelWriter, TinyShape, TinyModelOptions> declare)
    {
        var writer = new TinyModelWriter(model.Shape, model.Options);
        declare(writer, model.Shape, model.Options);
        var path = NewPath(model.Name);
        writer.Write(path);
        return path;
    }

    private static string MakeFolder()
    {
        RemoveLeftovers();
        var folder = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"{FolderPrefix}{Environment.ProcessId}"));
        Directory.CreateDirectory(folder);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }

    // A process that was killed leaves its folder behind.
    private static void RemoveLeftovers()
    {
        var running = Process.GetProcesses().Select(process => process.Id).ToHashSet();
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), FolderPrefix + "*"))
        {
            if (!int.TryParse(folder.AsSpan(folder.LastIndexOf(' ') + 1), out var id) || running.Contains(id))
            {
                continue;
            }

            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // Another test process removes it at the same time.
            }
        }
    }
}
