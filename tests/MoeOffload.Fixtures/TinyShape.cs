namespace MoeOffload.Fixtures;

/// <summary>The sizes of a tiny model.</summary>
public sealed record TinyShape
{
    /// <summary>The architecture, as <c>general.architecture</c> has it.</summary>
    public required string Architecture { get; init; }

    /// <summary>Layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Further layers for multi-token prediction.</summary>
    public int MtpLayers { get; init; }

    /// <summary>Experts per layer, 0 in a dense model.</summary>
    public required int Experts { get; init; }

    /// <summary>Experts that each token goes through.</summary>
    public required int ExpertsUsed { get; init; }

    /// <summary>Experts that every token goes through, besides the chosen ones.</summary>
    public int SharedExperts { get; init; }

    /// <summary>Layers before the first one with experts.</summary>
    public int LeadingDenseLayers { get; init; }

    /// <summary>Size of the hidden state.</summary>
    public required int EmbeddingLength { get; init; }

    /// <summary>Size of an expert's hidden layer, or of a dense layer's in a dense model.</summary>
    public required int ExpertFeedForwardLength { get; init; }

    /// <summary>Size of a dense layer's hidden layer.</summary>
    public int FeedForwardLength { get; init; } = 256;

    /// <summary>Size of an attention head.</summary>
    public int HeadLength { get; init; } = 64;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Attention heads for keys and values.</summary>
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>Layers that have experts.</summary>
    public int ExpertLayers => Experts == 0 ? 0 : Layers - LeadingDenseLayers;
}
