using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>
/// Small projectors with random weights, which turn images into embeddings for tiny models. Each is a file that is made when it is first
/// asked for.
/// </summary>
public static class TinyProjectors
{
    /// <summary>The number of embeddings that <see cref="Gemma3"/> makes of any image.</summary>
    public const int Gemma3Tokens = 16;

    private const int Width = 64;
    private const int Heads = 4;
    private const int Hidden = 96;
    private const int Layers = 2;
    private const int Patch = 8;

    private static readonly ConcurrentDictionary<(string Kind, int Length), Lazy<string>> s_made = new();

    /// <summary>Gemma 3's: any image becomes 16 embeddings, which attend to each other in both directions.</summary>
    /// <param name="model">The model, whose embeddings have the same length.</param>
    public static string Gemma3(TinyModel model) => Get("gemma3", model.Shape.EmbeddingLength, WriteGemma3);

    /// <summary>Qwen2-VL's: the number of embeddings follows from the size of the image, and attention is causal.</summary>
    /// <param name="model">The model, whose embeddings have the same length.</param>
    public static string Qwen2Vl(TinyModel model) => Get("qwen2vl_merger", model.Shape.EmbeddingLength, WriteQwen2Vl);

    private static string Get(string kind, int length, Action<Weights, int> write) => s_made.GetOrAdd((kind, length), _ => new Lazy<string>(() =>
    {
        const int ImageSize = 64;
        var writer = new GgufWriter();
        writer.Set(GgufKeys.Architecture, "clip");
        writer.Set(GgufKeys.Name, $"Tiny {kind}");
        writer.Set("general.type", "mmproj");
        writer.Set("clip.has_vision_encoder", true);
        writer.Set("clip.projector_type", kind);
        writer.Set("clip.use_gelu", true);
        Set("image_size", ImageSize);
        Set("patch_size", Patch);
        Set("embedding_length", Width);
        Set("feed_forward_length", Hidden);
        Set("block_count", Layers);
        Set("projection_dim", length);
        Set("attention.head_count", Heads);
        writer.Set("clip.vision.attention.layer_norm_epsilon", 1e-6f);
        writer.SetArray("clip.vision.image_mean", 0.5f, 0.5f, 0.5f);
        writer.SetArray("clip.vision.image_std", 0.5f, 0.5f, 0.5f);
        var weights = new Weights(writer);
        weights.Add("v.patch_embd.weight", 1, Patch, Patch, 3, Width);
        write(weights, length);
        for (int layer = 0; layer < Layers; layer++)
        {
            weights.Layer($"v.blk.{layer}");
        }

        weights.Norm("v.post_ln");
        string path = TinyModels.NewPath(string.Create(CultureInfo.InvariantCulture, $"{kind} {length}"));
        writer.Write(path);
        return path;

        void Set(string key, int value) => writer.Set($"clip.vision.{key}", (uint)value);
    })).Value;

    private static void WriteGemma3(Weights weights, int length)
    {
        weights.Writer.Set("clip.vision.projector.scale_factor", 2u);
        weights.Add("v.patch_embd.bias", 0.1f, Width);
        weights.Add("v.position_embd.weight", 0.3f, Width, 64);
        weights.Add("mm.input_projection.weight", 1 / MathF.Sqrt(Width), length, Width);
        weights.Add("mm.soft_emb_norm.weight", 1, Width);
    }

    private static void WriteQwen2Vl(Weights weights, int length)
    {
        weights.Add("v.patch_embd.weight.1", 1, Patch, Patch, 3, Width);
        weights.Linear("mm.0", 4 * Width, 4 * Width);
        weights.Linear("mm.2", 4 * Width, length);
    }

    private sealed class Weights(GgufWriter writer)
    {
        private int _seed;

        public GgufWriter Writer => writer;

        public void Layer(string name)
        {
            Norm($"{name}.ln1");
            Norm($"{name}.ln2");
            foreach (string part in (string[])["attn_q", "attn_k", "attn_v", "attn_out"])
            {
                Linear($"{name}.{part}", Width, Width);
            }

            Linear($"{name}.ffn_up", Width, Hidden);
            Linear($"{name}.ffn_down", Hidden, Width);
        }

        public void Norm(string name)
        {
            Add($"{name}.weight", values => Array.Fill(values, 1), Width);
            Add($"{name}.bias", 0.05f, Width);
        }

        public void Linear(string name, int input, int output)
        {
            Add($"{name}.weight", 1 / MathF.Sqrt(input), input, output);
            Add($"{name}.bias", 0.05f, output);
        }

        public void Add(string name, float deviation, params long[] dimensions)
        {
            // The numbers are the same on every machine.
            var random = new Random(++_seed);
            Add(
                name,
                values =>
                {
                    for (int i = 0; i < values.Length; i++)
                    {
                        values[i] = deviation * MathF.Sqrt(12) * (random.NextSingle() - 0.5f);
                    }
                },
                dimensions);
        }

        private void Add(string name, Action<float[]> fill, params long[] dimensions)
        {
            float[] values = new float[dimensions.Aggregate(1L, (product, dimension) => product * dimension)];
            fill(values);
            writer.AddTensor(name, GgmlType.F32, dimensions, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
        }
    }
}
