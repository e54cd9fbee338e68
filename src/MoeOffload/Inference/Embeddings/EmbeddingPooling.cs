namespace MoeOffload.Embeddings;

/// <summary>How the embeddings of a text's tokens become one of the text.</summary>
public enum EmbeddingPooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The first token's, which some models are trained to end with the whole text in it.</summary>
    Cls,

    /// <summary>The last token's, which is the only one that has seen the whole text where attention is causal.</summary>
    Last,
}
