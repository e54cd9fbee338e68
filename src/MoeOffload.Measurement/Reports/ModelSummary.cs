using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Reports;

/// <summary>Represents what a model's file contains, read without loading the model.</summary>
internal sealed record ModelSummary
{
    // These are llama.cpp's architectures that only encode, or that are not language models.
    private static readonly HashSet<string> s_encoders =
    [
        "bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert", "neo-bert", "eurobert", "t5encoder", "gemma-embedding",
        "llama-embed", "clip", "wavtokenizer-dec",
    ];

    public string Architecture { get; private init; } = string.Empty;

    public string Name { get; private init; } = string.Empty;

    public long ParameterCount { get; private init; }

    public int LayerCount { get; private init; }

    public int ContextLength { get; private init; }

    public int EmbeddingLength { get; private init; }

    public int ExpertCount { get; private init; }

    public int ExpertUsedCount { get; private init; }

    public int SharedExpertCount { get; private init; }

    /// <summary>Gets the type of most of the weights.</summary>
    public string MainType { get; private init; } = string.Empty;

    /// <summary>Gets a value that indicates whether the model can generate text.</summary>
    public bool ContinuesText { get; private init; }

    /// <summary>Gets the reason why the file cannot be read; null if it can.</summary>
    public string? Failure { get; private init; }

    public static ModelSummary TryRead(string path)
    {
        try
        {
            return Of(GgufModelFiles.Open(path));
        }
        catch (Exception error) when (error is MoeOffloadException or IOException or UnauthorizedAccessException)
        {
            return new ModelSummary { Failure = error.Message };
        }
    }

    public static ModelSummary Of(GgufModelFiles files)
    {
        GgufMetadata metadata = files.Metadata;
        metadata.TryGetString(GgufKeys.Architecture, out string architecture);
        metadata.TryGetString(GgufKeys.Name, out string name);
        metadata.TryGetString("general.type", out string kind);
        int Number(string key) => metadata.TryGetInt32($"{architecture}.{key}", out int value) ? value : 0;
        return new ModelSummary
        {
            Architecture = architecture,
            Name = name,
            ParameterCount = files.Tensors.Sum(tensor => tensor.ElementCount),
            LayerCount = Number("block_count"),
            ContextLength = Number("context_length"),
            EmbeddingLength = Number("embedding_length"),
            ExpertCount = Number("expert_count"),
            ExpertUsedCount = Number("expert_used_count"),
            SharedExpertCount = Number("expert_shared_count"),
            MainType = files.Tensors.GroupBy(tensor => tensor.Type).MaxBy(group => group.Sum(tensor => tensor.ByteCount)) is { } main ? GgmlTypeInfo.Get(main.Key).Name : string.Empty,
            ContinuesText = !s_encoders.Contains(architecture) && (kind is "" or "model") && Number("block_count") > 0,
        };
    }
}
