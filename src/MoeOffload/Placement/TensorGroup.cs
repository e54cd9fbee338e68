namespace MoeOffload;

/// <summary>What a tensor is for, as its name says.</summary>
public enum TensorGroup
{
    /// <summary>Something else, such as factors of the rotary position embedding.</summary>
    Other,

    /// <summary>The embedding of tokens and positions.</summary>
    Embedding,

    /// <summary>What makes logits of the last layer's result.</summary>
    Output,

    /// <summary>Norms of a layer.</summary>
    Norm,

    /// <summary>A layer's attention, or the state-space model or linear attention in its place.</summary>
    Attention,

    /// <summary>The feed-forward network of a layer without experts, or beside them.</summary>
    FeedForward,

    /// <summary>What chooses a layer's experts.</summary>
    Router,

    /// <summary>Experts that the router chooses from.</summary>
    Experts,

    /// <summary>Experts that every token goes through.</summary>
    SharedExperts,
}
