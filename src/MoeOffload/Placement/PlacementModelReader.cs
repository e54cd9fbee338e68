using MoeOffload.Gguf;

namespace MoeOffload.Placement;

/// <summary>Reads from the header of a model's files what the planner needs to know.</summary>
internal static class PlacementModelReader
{
    public static PlacementModel Read(GgufModelFiles files, bool loadMtpLayers, IReadOnlyDictionary<string, MetadataValue> overrides)
    {
        int Number(string name) => (int)Math.Clamp(Hyperparameters.FindInteger(files.Metadata, overrides, name) ?? 0, 0, int.MaxValue);

        int layers = Number("block_count");
        if (layers == 0)
        {
            throw new ArgumentException($"'{files.Path}' does not specify a number of layers, so it is not a model.", nameof(files));
        }

        int loaded = layers - (loadMtpLayers ? 0 : Math.Min(Number("nextn_predict_layers"), layers - 1));
        int experts = Number("expert_count");
        int used = Number("expert_used_count");
        int expertWidth = Number("expert_feed_forward_length");
        int width = Number("feed_forward_length");
        return new PlacementModel
        {
            Tensors =
            [
                .. files.Tensors.Where(tensor => TensorNames.LayerOf(tensor.Name) is not { } layer || layer < loaded)
                    .Select(tensor => new PlacementTensor(tensor.Name, tensor.ByteCount)),
            ],
            LayerCount = layers,
            ExpertCount = experts,
            ExpertUsedCount = used,
            TrainedContextLength = Number("context_length"),
            LayerCache = ReadCache(files.Metadata, layers, loaded, Number),
            LayerStateBytes = StateBytes(Number),
            EmbeddingLength = Number("embedding_length"),
            FeedForwardLength = experts > 0 ? Math.Max(1, used + Number("expert_shared_count")) * (expertWidth > 0 ? expertWidth : width) : width,
            VocabularySize = files.Metadata.TryGetValue("tokenizer.ggml.tokens", out GgufValue tokens) ? tokens.Count : Number("vocab_size"),
        };
    }

    // Assumes attention over the whole context in all layers, which is too much for sliding windows, but never too little.
    private static (int Key, int Value)[] ReadCache(GgufMetadata metadata, int layers, int loaded, Func<string, int> number)
    {
        int[] heads = PerLayer(metadata, "attention.head_count", layers, number);
        int[] cached = PerLayer(metadata, "attention.head_count_kv", layers, number);
        bool hasCached = metadata.TryGetValue(Key(metadata, "attention.head_count_kv"), out _);
        var result = new (int Key, int Value)[layers];
        for (int layer = 0; layer < loaded; layer++)
        {
            int usual = number("embedding_length") / Math.Max(1, heads.Max());
            int count = hasCached ? cached[layer] : heads[layer];
            int key = number("attention.key_length") is > 0 and var keys ? keys : usual;
            int value = number("attention.value_length") is > 0 and var values ? values : usual;
            result[layer] = (count * key, count * value);
        }

        return result;
    }

    // The state of a layer of Mamba and of the linear attention that is derived from it: the convolution's window and the state itself.
    private static long StateBytes(Func<string, int> number)
    {
        long inner = number("ssm.inner_size");
        long state = number("ssm.state_size");
        long groups = Math.Max(1, number("ssm.group_count"));
        long window = Math.Max(0, number("ssm.conv_kernel") - 1) * (inner + (2 * groups * state));
        return (window + (state * inner)) * sizeof(float);
    }

    private static int[] PerLayer(GgufMetadata metadata, string name, int layers, Func<string, int> number)
    {
        var result = new int[layers];
        if (metadata.TryGetValue(Key(metadata, name), out GgufValue value) && value.IsArray)
        {
            for (int i = 0; i < Math.Min(layers, value.Count); i++)
            {
                result[i] = (int)Math.Clamp(value.GetInt64(i), 0, int.MaxValue);
            }

            return result;
        }

        Array.Fill(result, number(name));
        return result;
    }

    private static string Key(GgufMetadata metadata, string name)
    {
        metadata.TryGetString(GgufKeys.Architecture, out string architecture);
        return $"{architecture}.{name}";
    }
}
