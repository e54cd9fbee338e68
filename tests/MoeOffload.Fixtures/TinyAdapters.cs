using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>LoRA adapters with random factors for small models.</summary>
public static class TinyAdapters
{
    /// <summary>Writes an adapter.</summary>
    /// <param name="model">The model that it belongs to.</param>
    /// <param name="changes">Says by its name whether a matrix is changed.</param>
    /// <param name="rank">The rank of each change.</param>
    /// <param name="seed">Seed of the factors.</param>
    /// <param name="alpha">The value of alpha in the file, or null to omit it.</param>
    /// <param name="change">Changes the file's metadata.</param>
    /// <param name="shape">Changes a factor's dimensions.</param>
    /// <param name="type">How factors are stored: F32 or F16.</param>
    /// <returns>The path of the adapter, which is next to the model.</returns>
    public static string Write(
        TinyModel model,
        Func<string, bool> changes,
        int rank = 4,
        int seed = 1,
        float? alpha = 8,
        Action<GgufWriter>? change = null,
        Func<string, long[], long[]>? shape = null,
        GgmlType type = GgmlType.F32)
    {
        var writer = new GgufWriter();
        writer.Set("general.type", "adapter");
        writer.Set("adapter.type", "lora");
        writer.Set(GgufKeys.Architecture, model.Shape.Architecture);
        writer.Set(GgufKeys.Name, $"Adapter {seed}");
        if (alpha is { } value)
        {
            writer.Set("adapter.lora.alpha", value);
        }

        foreach (var tensor in GgufFile.Open(model.Path).Tensors.Where(tensor => changes(tensor.Name)))
        {
            // The embedding is looked up by rows, so its factors are the other way round.
            var (input, output, others) = (tensor.Dimensions[0], tensor.GetDimension(1), tensor.Dimensions.Skip(2));
            var isEmbedding = tensor.Name == "token_embd.weight";
            Add(tensor.Name + ".lora_a", isEmbedding ? [rank, output] : [input, rank, .. others]);
            Add(tensor.Name + ".lora_b", isEmbedding ? [rank, input] : [rank, output, .. others]);
        }

        change?.Invoke(writer);
        var path = TinyModels.NewPath($"{model.Name} adapter");
        writer.Write(path);
        return path;

        void Add(string name, long[] dimensions)
        {
            dimensions = shape?.Invoke(name, dimensions) ?? dimensions;
            var random = new RandomRows(seed, name);
            var row = new float[dimensions[0]];
            var rowBytes = GgmlTypeInfo.Get(type).GetByteCount(row.Length);
            writer.AddTensor(name, type, dimensions, (offset, destination) =>
            {
                for (var done = 0; done < destination.Length; done += (int)rowBytes)
                {
                    random.Fill((offset + done) / rowBytes, row, mean: 0, deviation: 1 / MathF.Sqrt(row.Length));
                    GgmlQuantizer.EncodeRow(type, row, destination.Slice(done, (int)rowBytes));
                }
            });
        }
    }

    /// <summary>Whether a tensor is one of attention's projections.</summary>
    public static bool IsAttention(string tensor) => tensor.Contains(".attn_", StringComparison.Ordinal)
        && tensor.EndsWith(".weight", StringComparison.Ordinal)
        && !tensor.Contains("norm", StringComparison.Ordinal)
        && !tensor.Contains("sinks", StringComparison.Ordinal);

    /// <summary>Whether a tensor holds experts.</summary>
    public static bool IsExperts(string tensor) => tensor.EndsWith("_exps.weight", StringComparison.Ordinal);
}
