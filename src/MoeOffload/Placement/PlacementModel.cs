using MoeOffload.Gguf;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Represents what the planner needs to know about a model: the sizes of its tensors and of its KV cache.</summary>
public sealed record PlacementModel
{
    /// <summary>Gets the tensors that are loaded.</summary>
    public required IReadOnlyList<PlacementTensor> Tensors { get; init; }

    /// <summary>Gets the number of layers, without the output layer.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Gets the number of experts in a layer, or 0 if the model is dense.</summary>
    public int ExpertCount { get; init; }

    /// <summary>Gets the number of experts that a token uses in a layer.</summary>
    public int ExpertUsedCount { get; init; }

    /// <summary>Gets the length that the model was trained for, in tokens, or 0 if it is unknown.</summary>
    public int TrainedContextLength { get; init; }

    /// <summary>Gets the number of values of a key and of a value that each layer keeps for a token, which depends on the architecture.</summary>
    public IReadOnlyList<(int Key, int Value)> LayerCache { get; init; } = [];

    /// <summary>Gets the size of the state that a recurrent layer keeps for each sequence, in bytes, or 0 if there is none.</summary>
    public long LayerStateBytes { get; init; }

    /// <summary>Gets the size of the hidden state, in values.</summary>
    public int EmbeddingLength { get; init; }

    /// <summary>Gets the number of values in the hidden layer of the feed-forward network, of all experts that a token uses together.</summary>
    public int FeedForwardLength { get; init; }

    /// <summary>Gets the number of tokens in the vocabulary.</summary>
    public int VocabularySize { get; init; }

    /// <summary>Reads what the planner needs to know from the header of a model's files.</summary>
    /// <param name="files">The model's files.</param>
    /// <param name="loadMtpLayers">Whether the layers for multi-token prediction are loaded.</param>
    /// <param name="overrides">Values that replace those of the metadata, or <see langword="null"/> if there are none.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentException">The files have no layers.</exception>
    public static PlacementModel Read(
        GgufModelFiles files, bool loadMtpLayers = false, IReadOnlyDictionary<string, MetadataValue>? overrides = null)
    {
        ArgumentNullException.ThrowIfNull(files);
        return PlacementModelReader.Read(files, loadMtpLayers, overrides ?? new Dictionary<string, MetadataValue>());
    }

    /// <summary>Gets the part of a layer's experts that a token uses, from 0 to 1.</summary>
    internal double ExpertShare => ExpertCount > 0 ? Math.Clamp((double)ExpertUsedCount / ExpertCount, 0, 1) : 1;

    /// <summary>Gets the least memory in which the experts can stay in the model's files, in bytes, or 0 if the model has no experts.</summary>
    internal long LeastExpertBytes
    {
        get
        {
            var experts = Tensors.Where(tensor => RoutedExperts.IsRouted(tensor.Name)).Select(tensor => (tensor.Name, tensor.Bytes, (long)Math.Max(1, ExpertCount))).ToList();
            return experts.Count == 0 ? 0 : RoutedExperts.LeastBytes(experts, Math.Max(1, ExpertUsedCount));
        }
    }
}
