using MoeOffload.Chat;
using MoeOffload.Embeddings;
using MoeOffload.Gguf;

namespace MoeOffload.Hosting.Settings;

/// <summary>Lists the keys of the configuration, in the order in which they are applied.</summary>
internal static class SettingTable
{
    private static readonly Dictionary<string, GgmlType> s_cacheTypes = new GgmlType[]
    {
        GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.IQ4_NL, GgmlType.Q5_0, GgmlType.Q5_1,
    }.ToDictionary(type => GgmlTypeInfo.Get(type).Name);

    /// <summary>Gets the keys.</summary>
    public static IReadOnlyList<Setting> All { get; } = [.. General(), .. Loading(), .. Context(), .. Rope(), .. Speculation(), .. Chat(), .. Embedding()];

    /// <summary>Gets the pairs of keys that set the same thing.</summary>
    public static IReadOnlyList<(string One, string Other)> Exclusive { get; } =
        [("CpuMoe", "CpuMoeLayers"), ("ChatTemplate", "ChatTemplateFile"), ("RopeScale", "RopeFrequencyScale")];

    private static IEnumerable<Setting> General() =>
    [
        new("Model", "--model", (options, value) => options.Model = value.Text()),
        new("Loading", null, (options, value) => options.Loading = value.Choice<ModelLoading>()),
        new("ModelDirectories", "--model-dirs", (options, value) =>
            options.Catalog = options.Catalog with { Paths = [.. options.Catalog.Paths, .. value.Elements().SelectMany(Catalog.ModelCatalogOptions.SplitPaths)] }),
    ];

    private static IEnumerable<Setting> Loading() =>
    [
        new("Placement", "--override-tensor", (options, value) => Place(options, TensorPlacement.Parse(value.Text()))),
        new("CpuMoe", "--cpu-moe", (options, value) => Place(options, value.Flag() ? TensorPlacement.ExpertsToCpu() : TensorPlacement.Default)),
        new("CpuMoeLayers", "--n-cpu-moe", (options, value) => Place(options, TensorPlacement.ExpertsToCpu(value.Integer()))),
        new("Fit", "--fit", (options, value) => options.Fit = value.Flag()),
        new("FitMargin", "--fit-margin", (options, value) => options.FitMargin = value.Margin()),
        Load("StrictPlacement", "--strict-placement", (load, value) => load with { UnmatchedRules = value.Flag() ? UnmatchedRuleAction.Error : UnmatchedRuleAction.Warn }),
        Load("GpuLayers", "--gpu-layers", (load, value) => load with { GpuLayers = value.Layers() }),
        Load("Devices", "--device", (load, value) => load with { Devices = value.List() is ["none"] ? [] : value.List() }),
        Load("RequireDevice", "--require-device", (load, value) => load with { RequireDevice = value.Text() }),
        Load("RpcServers", "--rpc", (load, value) => load with { RpcServers = value.List() }),
        Load("SplitMode", "--split-mode", (load, value) => load with { SplitMode = value.Choice<SplitMode>() }),
        Load("TensorSplit", "--tensor-split", (load, value) => load with { TensorSplit = value.Numbers() }),
        Load("MainGpu", "--main-gpu", (load, value) => load with { MainGpu = value.Integer() }),
        Load("LoadMode", "--no-mmap", (load, value) => load with { LoadMode = value.Choice<LoadMode>() }),
        Load("Repack", "--no-repack", (load, value) => load with { Repack = value.Flag() }),
        Load("PinnedHostMemory", null, (load, value) => load with { PinnedHostMemory = value.Flag() }),
        Load("ExpertMemory", "--expert-memory", (load, value) => load with { Experts = ExpertStorage.Limit(value.Size()) }),
        Load("ValidateTensors", "--check-tensors", (load, value) => load with { ValidateTensors = value.Flag() }),
        Load("MetadataOverrides", "--override-kv", (load, value) => load with { MetadataOverrides = value.Metadata() }),
        Load("ChatTemplate", "--chat-template", (load, value) => load with { ChatTemplate = value.Text() }),
        Load("ChatTemplateFile", "--chat-template-file", (load, value) => load with { ChatTemplate = File.ReadAllText(value.Text()) }),
        Load("Projector", "--mmproj", (load, value) => load with { ProjectorPath = value.Text() }),
        Load("FindProjector", "--no-mmproj", (load, value) => load with { FindProjector = value.Flag() }),
        Load("ProjectorOnDevice", "--no-mmproj-offload", (load, value) => load with { ProjectorOnDevice = value.Flag() }),
        Load("MaxImageTokens", "--image-max-tokens", (load, value) => load with { MaxImageTokens = value.Integer() }),
        Load("NativeLibraryDirectory", "--native-dir", (load, value) => load with { NativeLibraryDirectory = value.Text() }),
    ];

    private static IEnumerable<Setting> Context() =>
    [
        Context("ContextLength", "--ctx-size", (context, value) => context with { ContextLength = value.Integer() }),
        Context("SequenceCount", "--parallel", (context, value) => context with { SequenceCount = value.Integer() }),
        Context("UnifiedKvCache", "--kv-unified", (context, value) => Cache(context, cache => cache.Unified = value.Flag())),
        Context("QueueLimit", null, (context, value) => context with { QueueLimit = value.Integer() }),
        Context("BatchSize", "--batch-size", (context, value) => context with { BatchSize = value.Integer() }),
        Context("MicroBatchSize", "--ubatch-size", (context, value) => context with { MicroBatchSize = value.Integer() }),
        Context("Threads", "--threads", (context, value) => Threads(context, threads => threads.Decode = value.Integer())),
        Context("PromptThreads", "--threads-batch", (context, value) => Threads(context, threads => threads.Prompt = value.Integer())),
        Context("ThreadPriority", "--threads-priority", (context, value) => Threads(context, threads => threads.Priority = value.Choice<ComputePriority>())),
        Context("ReservedCores", "--reserve-cores", (context, value) => Threads(context, threads => threads.ReservedCores = value.Integer())),
        Context("ComputeBudget", "--compute-budget", (context, value) => Threads(context, threads => threads.Budget = value.Budget())),
        Context("KeyCacheType", "--cache-type-k", (context, value) => Cache(context, cache => cache.KeyType = value.Choice(s_cacheTypes))),
        Context("ValueCacheType", "--cache-type-v", (context, value) => Cache(context, cache => cache.ValueType = value.Choice(s_cacheTypes))),
        Context("KvOffload", "--no-kv-offload", (context, value) => Cache(context, cache => cache.Offload = value.Flag())),
        Context("OpOffload", "--no-op-offload", (context, value) => context with { OpOffload = value.Flag() }),
        Context("FlashAttention", "--flash-attn", (context, value) => context with { FlashAttention = value.Choice<FlashAttention>() }),
        Context("PrefixCacheMemory", null, (context, value) => context with { PrefixCache = context.PrefixCache with { HostBytes = value.Size() } }),
        Context("CountExperts", "--count-experts", (context, value) => context with { CountExperts = value.Flag() }),
    ];

    private static IEnumerable<Setting> Rope() =>
    [
        Rope("RopeScaling", "--rope-scaling", (rope, value) => rope.Scaling = value.Choice<RopeScaling>()),
        Rope("RopeScale", "--rope-scale", (rope, value) => rope.FrequencyScale = 1 / value.Number()),
        Rope("RopeFrequencyScale", "--rope-freq-scale", (rope, value) => rope.FrequencyScale = value.Number()),
        Rope("RopeFrequencyBase", "--rope-freq-base", (rope, value) => rope.FrequencyBase = value.Number()),
        Rope("YarnOriginalContextLength", "--yarn-orig-ctx", (rope, value) => rope.YarnOriginalContextLength = value.Integer()),
        Rope("YarnExtrapolationFactor", "--yarn-ext-factor", (rope, value) => rope.YarnExtrapolationFactor = value.Number()),
        Rope("YarnAttentionFactor", "--yarn-attn-factor", (rope, value) => rope.YarnAttentionFactor = value.Number()),
        Rope("YarnBetaSlow", "--yarn-beta-slow", (rope, value) => rope.YarnBetaSlow = value.Number()),
        Rope("YarnBetaFast", "--yarn-beta-fast", (rope, value) => rope.YarnBetaFast = value.Number()),
    ];

    private static IEnumerable<Setting> Speculation() =>
    [
        new("Speculation", "--spec-type", (options, value) => Speculate(options, value.Choice(new Dictionary<string, bool?> { ["None"] = null, ["Lookup"] = false, ["Mtp"] = true }))),
        new("DraftModel", "--spec-draft-model", (options, value) => options.Companions = options.Companions with { DraftModelPath = value.Text() }),
        Context("MaxDraftTokens", "--spec-draft-n-max", (context, value) =>
            context with { Speculation = (context.Speculation ?? new SpeculationOptions()) with { MaxDraftTokens = value.Integer() } }),
        new("Adapters", "--lora", (options, value) => options.Companions = options.Companions with { Adapters = value.Adapters() }),
    ];

    private static IEnumerable<Setting> Chat() =>
    [
        new("ModelId", null, (options, value) => options.ChatClient = options.ChatClient with { ModelId = value.Text() }),
        new("KeptConversations", null, (options, value) => options.ChatClient = options.ChatClient with { KeptConversations = value.Integer() }),
        Chat("MaxTokens", "--max-tokens", (chat, value) => chat with { MaxTokens = value.Integer() is >= 1 and var most ? most : throw new FormatException("a number greater than 0") }),
        Chat("Reasoning", null, (chat, value) => chat with { Reasoning = value.Flag() }),
        Chat("ChatOverflow", "--chat-overflow", (chat, value) => chat with { Overflow = value.Choice<ChatOverflow>() }),
        Chat("ContextShift", "--context-shift", (chat, value) => chat with { ContextFull = value.Flag() ? ContextFullAction.Shift : ContextFullAction.Stop }),
        Sampling("Temperature", "--temperature", (sampling, value) => sampling with { Temperature = value.Number() }),
        Sampling("TopK", "--top-k", (sampling, value) => sampling with { TopK = value.Integer() }),
        Sampling("TopP", "--top-p", (sampling, value) => sampling with { TopP = value.Number() }),
        Sampling("MinP", "--min-p", (sampling, value) => sampling with { MinP = value.Number() }),
        Sampling("RepeatPenalty", "--repeat-penalty", (sampling, value) => Penalize(sampling, penalties => penalties with { Repeat = value.Number() })),
        Sampling("PresencePenalty", "--presence-penalty", (sampling, value) => Penalize(sampling, penalties => penalties with { Presence = value.Number() })),
        Sampling("FrequencyPenalty", "--frequency-penalty", (sampling, value) => Penalize(sampling, penalties => penalties with { Frequency = value.Number() })),
        Sampling("Seed", "--seed", (sampling, value) => sampling with { Seed = value.Seed() }),
    ];

    private static IEnumerable<Setting> Embedding() =>
    [
        new("Embeddings", null, (options, value) => options.Embedding = value.Flag() ? options.Embedding ?? new EmbeddingOptions() : null),
        Embedding("EmbeddingPooling", null, (embedding, value) => embedding with { Pooling = value.Choice<EmbeddingPooling>() }),
        Embedding("EmbeddingContextLength", null, (embedding, value) => embedding with { ContextLength = value.Integer() }),
        new("Generation", null, (options, value) => options.Context = value.Flag() ? options.Context ?? new ContextOptions() : null),
    ];

    private static Setting Load(string key, string? option, Func<ModelOptions, SettingValue, ModelOptions> apply) =>
        new(key, option, (options, value) => options.Load = apply(options.Load, value));

    private static Setting Context(string key, string? option, Func<ContextOptions, SettingValue, ContextOptions> apply) =>
        new(key, option, (options, value) => options.Context = apply(options.Context ?? new ContextOptions(), value));

    private static Setting Rope(string key, string option, Action<RopeOptions, SettingValue> set) => Context(key, option, (context, value) =>
    {
        RopeOptions rope = context.Rope with { };
        set(rope, value);
        return context with { Rope = rope };
    });

    private static Setting Chat(string key, string? option, Func<ChatOptions, SettingValue, ChatOptions> apply) =>
        new(key, option, (options, value) => options.ChatClient = options.ChatClient with { Defaults = apply(options.ChatClient.Defaults, value) });

    private static Setting Sampling(string key, string? option, Func<SamplingOptions, SettingValue, SamplingOptions> apply) =>
        Chat(key, option, (chat, value) => chat with { Sampling = apply(chat.Sampling ?? new SamplingOptions(), value) });

    private static Setting Embedding(string key, string? option, Func<EmbeddingOptions, SettingValue, EmbeddingOptions> apply) => new(key, option, (options, value) =>
        options.Embedding = apply(options.Embedding ?? throw new ArgumentException("There are no embeddings: set Embeddings to true, or remove the key."), value));

    // As in llama.cpp, the first rule that matches applies.
    private static void Place(HostedModelOptions options, TensorPlacement placement) =>
        options.Load = options.Load with { Placement = options.Load.Placement.Then(placement) };

    private static ContextOptions Cache(ContextOptions context, Action<KvCacheOptions> set)
    {
        KvCacheOptions cache = context.KvCache with { };
        set(cache);
        return context with { KvCache = cache };
    }

    private static ContextOptions Threads(ContextOptions context, Action<ThreadOptions> set)
    {
        ThreadOptions threads = context.Threads with { };
        set(threads);
        return context with { Threads = threads };
    }

    private static SamplingOptions Penalize(SamplingOptions sampling, Func<PenaltiesSampler, PenaltiesSampler> set) =>
        sampling with { Penalties = set(sampling.Penalties ?? new PenaltiesSampler()) };

    private static void Speculate(HostedModelOptions options, bool? usesMtpLayers)
    {
        options.Load = options.Load with { LoadMtpLayers = usesMtpLayers == true };
        options.Context = (options.Context ?? new ContextOptions()) with
        {
            Speculation = usesMtpLayers is { } mtp ? new SpeculationOptions { UseMtpLayers = mtp } : null,
        };
    }
}
