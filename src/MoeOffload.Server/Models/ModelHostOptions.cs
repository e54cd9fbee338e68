using MoeOffload.Embeddings;

namespace MoeOffload.Server;

/// <summary>Represents how models are loaded, and how long they stay in memory.</summary>
public sealed class ModelHostOptions
{
    /// <summary>Gets or sets how models are loaded.</summary>
    public ModelOptions Load { get; set; } = new();

    /// <summary>
    /// Gets or sets the context of each model. The default generates four answers at once, which share one KV cache. With
    /// <see cref="MemoryLimit"/>, a <see cref="ContextOptions.ContextLength"/> of 0 is the length that the model was trained for, but at
    /// most 8192 tokens.
    /// <see cref="ContextOptions.CountExperts"/> has no effect on models without experts.
    /// </summary>
    public ContextOptions Context { get; set; } = new() { SequenceCount = 4, KvCache = { Unified = true } };

    /// <summary>Gets or sets how texts become embeddings. The mean is taken if neither it nor the model says how to pool.</summary>
    public EmbeddingOptions Embedding { get; set; } = new();

    /// <summary>Gets or sets how long a model that nobody uses stays in memory. The default is null: it is never unloaded.</summary>
    public TimeSpan? IdleUnload { get; set; }

    /// <summary>
    /// Gets or sets the most bytes that loaded models and their contexts may take, over all devices and system memory. The model that has
    /// been idle for longest is unloaded to stay within it. The default is null: the devices' own memory is the limit.
    /// </summary>
    public long? MemoryLimit { get; set; }

    internal void Validate(OptionFaults faults, string name)
    {
        faults.Require(Load, $"{name}.{nameof(Load)}");
        faults.Require(Context, $"{name}.{nameof(Context)}");
        faults.Require(Embedding, $"{name}.{nameof(Embedding)}");
        faults.RequirePositive(IdleUnload, $"{name}.{nameof(IdleUnload)}");
        faults.RequirePositive(MemoryLimit, $"{name}.{nameof(MemoryLimit)}");
    }
}
