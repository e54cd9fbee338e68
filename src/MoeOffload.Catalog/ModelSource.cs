namespace MoeOffload.Catalog;

/// <summary>Specifies the place where a model was found.</summary>
public enum ModelSource
{
    /// <summary>A directory or file in <see cref="ModelCatalogOptions.Paths"/>.</summary>
    Directory,

    /// <summary>The Hugging Face cache.</summary>
    HuggingFace,

    /// <summary>LM Studio's store.</summary>
    LmStudio,

    /// <summary>Ollama's store.</summary>
    Ollama,
}
