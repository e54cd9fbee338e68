namespace MoeOffload.Gguf;

/// <summary>Checks attention heads and rotary position embeddings.</summary>
internal static class AttentionCheck
{
    private static readonly string[] s_ropeScalings = ["none", "linear", "yarn", "longrope"];

    public static void Run(GgufModelFiles model, ModelValues values)
    {
        var layers = (int)values.Number("block_count")!.Value;
        var heads = values.PerLayer("attention.head_count", layers) ?? new uint[layers];
        CheckHeads(model, values, heads);
        if (heads[0] > 0)
        {
            CheckHeadSizes(values, heads);
        }

        CheckProjections(model, values);
        CheckRopeScaling(values);
        CheckSlidingPattern(values);
    }

    // The size of the KV cache follows from the head sizes, regardless of the weights that compute its values.
    private static void CheckProjections(GgufModelFiles model, ModelValues values)
    {
        foreach (var tensor in model.Tensors)
        {
            var name = tensor.Name.EndsWith(".attn_k.weight", StringComparison.Ordinal) ? "attention.key_length"
                : tensor.Name.EndsWith(".attn_v.weight", StringComparison.Ordinal) ? "attention.value_length"
                : null;
            if (name is not null && tensor.Dimensions.Count == 2 && values.Number(name) is { } length && length > tensor.Dimensions[1])
            {
                throw values.Fail($"'{values.Key(name)}'", $"is {length}, and '{tensor.Name}' makes {tensor.Dimensions[1]} values for all heads");
            }
        }
    }

    private static void CheckHeads(GgufModelFiles model, ModelValues values, uint[] heads)
    {
        var keyValueHeads = values.PerLayer("attention.head_count_kv", heads.Length) ?? heads;
        for (var layer = 0; layer < heads.Length; layer++)
        {
            if (keyValueHeads[layer] > 0 && heads[layer] % keyValueHeads[layer] != 0)
            {
                throw values.Fail(
                    $"'{values.Key("attention.head_count_kv")}'",
                    $"is {keyValueHeads[layer]} in layer {layer}, and its {heads[layer]} heads are not a multiple of that");
            }
        }

        if (heads.Max() == 0 && model.Tensors.Any(tensor => tensor.Name.EndsWith(".attn_q.weight", StringComparison.Ordinal)))
        {
            throw values.Fail($"'{values.Key("attention.head_count")}'", "is missing or 0, and the model has attention layers");
        }
    }

    private static void CheckHeadSizes(ModelValues values, uint[] heads)
    {
        var embedding = values.Number("embedding_length")!.Value;
        var own = values.Number("attention.key_length");
        var key = own ?? embedding / heads[0];
        var value = values.Number("attention.value_length") ?? embedding / heads[0];
        var rotated = values.Number("rope.dimension_count") ?? key;
        if (own is null && ArchitectureFacts.HasKeysLikeValues(values.Architecture) && embedding % heads[0] != 0)
        {
            throw values.Fail($"'{values.Key("attention.head_count")}'", $"is {heads[0]}, and the embedding length {embedding} is not a multiple of that");
        }

        // If no dimension is rotated, the CPU backend's loop over the rest of a head never ends.
        var least = ArchitectureFacts.MayRotateNothing(values.Architecture) ? 0u : 2u;
        var rotatedSliding = values.Number("rope.dimension_count_swa") ?? rotated;
        if (rotated < least || rotated > key || rotated % 2 != 0 || rotatedSliding < least || rotatedSliding % 2 != 0)
        {
            throw values.Fail($"'{values.Key("rope.dimension_count")}'", $"is {rotated}; it must be even, positive, and at most the head's length of {key}");
        }

        if (values.Number("attention.key_length_mla") is { } compressed and > 0 && compressed <= rotated)
        {
            throw values.Fail($"'{values.Key("attention.key_length_mla")}'", $"is {compressed}, and {rotated} of it are rotated");
        }

        CheckEqualSizes(values, key, value, rotated, string.Empty);
        CheckEqualSizes(
            values,
            values.Number("attention.key_length_swa") ?? key,
            values.Number("attention.value_length_swa") ?? value,
            values.Number("rope.dimension_count_swa") ?? rotated,
            "_swa");
        CheckRopeSections(values, key);
    }

    // Keys that end in "_swa" give the sizes in layers with a sliding window; llama.cpp compares those of the first layer.
    private static void CheckEqualSizes(ModelValues values, uint key, uint value, uint rotated, string suffix)
    {
        if (key != value && ArchitectureFacts.HasKeysLikeValues(values.Architecture))
        {
            throw values.Fail($"'{values.Key("attention.value_length" + suffix)}'", $"is {value}, and the key length is {key}: they are the same in {values.Architecture}");
        }

        if (key != rotated && ArchitectureFacts.RotatesWholeHeads(values.Architecture))
        {
            throw values.Fail($"'{values.Key("rope.dimension_count" + suffix)}'", $"is {rotated}, and a head has {key}: {values.Architecture} rotates it whole");
        }
    }

    private static void CheckRopeSections(ModelValues values, uint key)
    {
        var name = values.Key("rope.dimension_sections");
        if (!values.Metadata.TryGetValue(name, out var sections) || sections.ElementType is not (GgufValueType.Int32 or GgufValueType.UInt32))
        {
            return;
        }

        long sum = 0;
        for (var i = 0; i < sections.Count; i++)
        {
            var section = sections.GetInt64(i);
            sum += section;
            if (section < 0 || sum > key)
            {
                throw values.Fail($"'{name}'", $"goes beyond a head of {key}");
            }
        }

        if (sum == 0 && ArchitectureFacts.HasMultiAxisRope(values.Architecture))
        {
            throw values.Fail($"'{name}'", "has no section");
        }
    }

    private static void CheckRopeScaling(ModelValues values)
    {
        var key = values.Key("rope.scaling.type");
        if (values.Text(key) is { } scaling && !s_ropeScalings.Contains(scaling))
        {
            throw values.Fail($"'{key}'", $"is '{scaling}', which is not one of {string.Join(", ", s_ropeScalings)}");
        }
    }

    private static void CheckSlidingPattern(ModelValues values)
    {
        var key = values.Key("attention.sliding_window_pattern");
        if (!ArchitectureFacts.HasSlidingPattern(values.Architecture)
            || values.Number("attention.sliding_window") is null or 0
            || !values.Metadata.TryGetValue(key, out var pattern))
        {
            return;
        }

        var slides = pattern.ElementType switch
        {
            GgufValueType.Boolean when pattern.IsArray => pattern.ToArray<bool>().Contains(true),
            GgufValueType.UInt32 when pattern.IsArray => pattern.ToArray<uint>().Any(layer => layer != 0),
            GgufValueType.Int32 when pattern.IsArray => pattern.ToArray<int>().Any(layer => layer != 0),
            GgufValueType.UInt32 => values.NumberAt(key) != 1,
            _ => true,
        };
        if (!slides)
        {
            throw values.Fail($"'{key}'", "gives no layer a sliding window, although the model has one");
        }
    }
}
