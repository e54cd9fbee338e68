namespace MoeOffload.Embeddings;

/// <summary>Specifies how the token embeddings of a text are combined into one embedding.</summary>
public enum EmbeddingPooling
{
    /// <summary>The embedding is the mean of all token embeddings.</summary>
    Mean,

    /// <summary>The embedding is that of the first token, for models that are trained to represent the whole text in it.</summary>
    Cls,

    /// <summary>The embedding is that of the last token, which is the only one that attends to the whole text if attention is causal.</summary>
    Last,
}
