namespace MoeOffload.Catalog;

/// <summary>Where a model of the catalog was found.</summary>
public enum ModelSource
{
    /// <summary>A directory or file that the options name.</summary>
    Directory,

    /// <summary>The Hugging Face cache.</summary>
    HuggingFace,

    /// <summary>LM Studio's store.</summary>
    LmStudio,

    /// <summary>Ollama's store.</summary>
    Ollama,
}
