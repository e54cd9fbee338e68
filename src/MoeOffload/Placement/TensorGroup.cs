namespace MoeOffload;

/// <summary>Specifies what a tensor is used for, according to its name.</summary>
public enum TensorGroup
{
    /// <summary>Any other use, such as the factors of rotary position embeddings.</summary>
    Other,

    /// <summary>The embeddings of tokens and positions.</summary>
    Embedding,

    /// <summary>The output layer, which computes the logits.</summary>
    Output,

    /// <summary>The normalization in a layer.</summary>
    Norm,

    /// <summary>The attention of a layer, or the state-space model or linear attention that replaces it.</summary>
    Attention,

    /// <summary>The dense feed-forward network of a layer.</summary>
    FeedForward,

    /// <summary>The router, which chooses the experts of a layer.</summary>
    Router,

    /// <summary>The experts that the router chooses from.</summary>
    Experts,

    /// <summary>The shared experts, which process every token.</summary>
    SharedExperts,
}
