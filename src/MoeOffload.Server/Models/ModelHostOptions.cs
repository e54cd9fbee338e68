using MoeOffload.Embeddings;
using MoeOffload.Shared;

namespace MoeOffload.Server;

/// <summary>Represents the options for loading and unloading models.</summary>
public sealed class ModelHostOptions
{
    /// <summary>Gets or sets the options for loading a model.</summary>
    public ModelOptions Load { get; set; } = new();

    /// <summary>
    /// Gets or sets the options for the context of each model. The default generates four answers at once, which share one KV cache. With
    /// <see cref="MemoryLimit"/>, a <see cref="ContextOptions.ContextLength"/> of 0 is the length that the model was trained for, but at
    /// most 8192 tokens.
    /// <see cref="ContextOptions.CountExperts"/> has no effect on models without experts.
    /// </summary>
    public ContextOptions Context { get; set; } = new() { SequenceCount = 4, KvCache = { Unified = true } };

    /// <summary>
    /// Gets or sets the maximum number of tokens of a context that a request can ask for (<c>num_ctx</c>), which replaces that of <see cref="Context"/>
    /// if it is longer and there is enough memory. The default is <see langword="null"/>: the length that the model was trained for.
    /// </summary>
    public int? MaxContextLength { get; set; }

    /// <summary>Gets or sets the options for embeddings and for reranking. Mean pooling is used if neither these options nor the model specify a pooling type.</summary>
    public EmbeddingOptions Embedding { get; set; } = new();

    /// <summary>Gets or sets the time after which an idle model is unloaded. The default is <see langword="null"/>: idle models stay loaded.</summary>
    public TimeSpan? IdleUnload { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of bytes that loaded models and their contexts use, over all devices and system memory. To stay
    /// within it, the model that has been idle for the longest time is unloaded. The default is <see langword="null"/>: there is no limit.
    /// </summary>
    public long? MemoryLimit { get; set; }

    /// <summary>
    /// Gets or sets further names of models: each key is a name in requests, and its value is the name of the model in the catalog. The
    /// default is an empty dictionary.
    /// </summary>
    public IReadOnlyDictionary<string, string> Aliases { get; set; } = new Dictionary<string, string>();

    /// <summary>
    /// Gets or sets the name of the model that answers requests for models that the catalog does not have. The default is
    /// <see langword="null"/>: such requests fail.
    /// </summary>
    public string? FallbackModel { get; set; }

    /// <summary>
    /// Gets or sets the files that are loaded together with a model, by the name of the model in the catalog: LoRA adapters, and a model that
    /// drafts tokens. The default is an empty dictionary.
    /// </summary>
    public IReadOnlyDictionary<string, ModelCompanions> Companions { get; set; } = new Dictionary<string, ModelCompanions>();

    /// <summary>
    /// Gets or sets a value that indicates whether clients can give models further names and download models. The default is
    /// <see langword="false"/>.
    /// </summary>
    public bool AllowChanges { get; set; }

    internal void Validate(OptionFaults faults, string name)
    {
        faults.Require(Load, $"{name}.{nameof(Load)}");
        faults.Require(Context, $"{name}.{nameof(Context)}");
        faults.Require(Aliases, $"{name}.{nameof(Aliases)}");
        faults.Require(Companions, $"{name}.{nameof(Companions)}");
        faults.Require(Embedding, $"{name}.{nameof(Embedding)}");
        faults.RequirePositive(IdleUnload, $"{name}.{nameof(IdleUnload)}");
        faults.RequirePositive(MaxContextLength, $"{name}.{nameof(MaxContextLength)}");
        faults.RequirePositive(MemoryLimit, $"{name}.{nameof(MemoryLimit)}");
    }
}
