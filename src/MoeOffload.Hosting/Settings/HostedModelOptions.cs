using MoeOffload.Catalog;
using MoeOffload.Embeddings;
using MoeOffload.Extensions.AI;

namespace MoeOffload.Hosting;

/// <summary>Represents the options of a model that a host loads. The configuration sets them, and then the application's delegate.</summary>
public sealed class HostedModelOptions
{
    /// <summary>Gets or sets the path of a GGUF file, which is relative to the content root of the host, or the name of a model that <see cref="Catalog"/> finds.</summary>
    public string? Model { get; set; }

    /// <summary>Gets or sets a value that specifies when the model is loaded. The default is <see cref="ModelLoading.AtStart"/>.</summary>
    public ModelLoading Loading { get; set; }

    /// <summary>Gets or sets the places where models are searched for. The default is <see cref="ModelCatalogOptions.FromEnvironment"/>.</summary>
    public ModelCatalogOptions Catalog { get; set; } = ModelCatalogOptions.FromEnvironment();

    /// <summary>Gets or sets the options for loading the model. Without a logger factory, the model uses that of the host.</summary>
    public ModelOptions Load { get; set; } = new();

    /// <summary>
    /// Gets or sets a value that indicates whether the placement is planned by the memory that is free when the model is loaded, for
    /// <see cref="Context"/>. A model that does not fit is not loaded. What <see cref="Load"/> specifies is kept.
    /// </summary>
    public bool Fit { get; set; }

    /// <summary>
    /// Gets or sets the memory that a planned placement leaves free on each device and in system memory, in bytes, or <see langword="null"/> for
    /// 512 MiB.
    /// </summary>
    public long? FitMargin { get; set; }

    /// <summary>
    /// Gets or sets the options of the session, or <see langword="null"/> to create none, for a model that only computes embeddings.
    /// </summary>
    public ContextOptions? Context { get; set; } = new();

    /// <summary>
    /// Gets or sets the files that are loaded together with the model. The draft model can have a path or a name, as <see cref="Model"/>.
    /// </summary>
    public ModelCompanions Companions { get; set; } = new();

    /// <summary>
    /// Gets or sets the options of the chat client. If they specify no id of the model, it is the name of the model's file without its
    /// extension, or the name in <see cref="Model"/>.
    /// </summary>
    public MoeChatClientOptions ChatClient { get; set; } = new();

    /// <summary>
    /// Gets or sets the options of the embedder, or <see langword="null"/> to create none. The default is <see langword="null"/>. Mean
    /// pooling is used if neither these options nor the model specify a pooling type.
    /// </summary>
    public EmbeddingOptions? Embedding { get; set; }

    /// <summary>Gets the errors in the configuration.</summary>
    internal List<string> Faults { get; } = [];

    /// <summary>Copies the values of other options.</summary>
    internal void Set(HostedModelOptions other)
    {
        Model = other.Model;
        Loading = other.Loading;
        Catalog = other.Catalog;
        Load = other.Load;
        Fit = other.Fit;
        FitMargin = other.FitMargin;
        Context = other.Context;
        Companions = other.Companions;
        ChatClient = other.ChatClient;
        Embedding = other.Embedding;
    }
}
