using System.Runtime.InteropServices;
using MoeOffload.Gguf;
using TinyMoe.Corpus;
using TinyMoe.Tokenizer;

namespace TinyMoe.Model;

/// <summary>Creates the GGUF file from the output directory of the trainer.</summary>
internal static class ModelFile
{
    private const string Architecture = "qwen3moe";

    private const int NormalToken = 1;
    private const int ControlToken = 3;
    private const uint MostlyQ8 = 7;

    private const string ChatTemplate = """
        {%- for message in messages -%}
        {{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' -}}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
        """;

    public static void Write(string directory, string path)
    {
        ModelShape shape = ModelShape.Read(directory);
        var writer = new GgufWriter();
        Describe(writer, shape);
        AddVocabulary(writer, BpeTokenizer.Read(Path.Combine(directory, BpeTokenizer.FileName)));
        foreach (var (name, dimensions) in Tensors(shape))
        {
            AddTensor(writer, name, dimensions, Path.Combine(directory, "weights", $"{name}.f32"));
        }

        writer.Write(path);
    }

    private static void Describe(GgufWriter writer, ModelShape shape)
    {
        writer.Set(GgufKeys.Architecture, Architecture);
        writer.Set(GgufKeys.Name, "Tiny MoE");
        writer.Set("general.description", "Small stories, questions about them, sums up to 20 and a few facts; trained from nothing on a corpus of its own grammar.");
        writer.Set("general.license", "mit");
        writer.Set("general.file_type", MostlyQ8);
        writer.Set("general.quantization_version", 2u);
        Set("block_count", (uint)shape.Layers);
        Set("context_length", (uint)shape.Context);
        Set("embedding_length", (uint)shape.Width);
        Set("feed_forward_length", (uint)shape.ExpertLength);
        Set("expert_feed_forward_length", (uint)shape.ExpertLength);
        Set("expert_count", (uint)shape.Experts);
        Set("expert_used_count", (uint)shape.ExpertsUsed);
        Set("attention.head_count", (uint)shape.Heads);
        Set("attention.head_count_kv", (uint)shape.KeyValueHeads);
        Set("attention.key_length", (uint)shape.HeadLength);
        Set("attention.value_length", (uint)shape.HeadLength);
        Set("attention.layer_norm_rms_epsilon", shape.Epsilon);
        Set("rope.freq_base", shape.RopeBase);
        Set("vocab_size", (uint)shape.Vocabulary);

        void Set<T>(string key, T value)
            where T : unmanaged => writer.Set($"{Architecture}.{key}", value);
    }

    private static void AddVocabulary(GgufWriter writer, BpeTokenizer tokenizer)
    {
        int[] types = [.. tokenizer.Tokens.Select((_, id) => id < tokenizer.FirstSpecial ? NormalToken : ControlToken)];
        writer.Set("tokenizer.ggml.model", "gpt2");
        writer.Set("tokenizer.ggml.pre", "gpt-2");
        writer.SetArray("tokenizer.ggml.tokens", [.. tokenizer.Tokens]);
        writer.SetArray<int>("tokenizer.ggml.token_type", types);
        writer.SetArray("tokenizer.ggml.merges", [.. tokenizer.MergeLines]);
        writer.Set("tokenizer.ggml.bos_token_id", (uint)tokenizer.End);
        writer.Set("tokenizer.ggml.eos_token_id", (uint)tokenizer.Id(Document.TurnEnd));
        writer.Set("tokenizer.ggml.padding_token_id", (uint)tokenizer.End);
        writer.Set("tokenizer.ggml.add_bos_token", false);
        writer.Set("tokenizer.chat_template", ChatTemplate);
    }

    private static IEnumerable<(string Name, long[] Dimensions)> Tensors(ModelShape shape)
    {
        yield return ("token_embd.weight", [shape.Width, shape.Vocabulary]);
        yield return ("output_norm.weight", [shape.Width]);
        yield return ("output.weight", [shape.Width, shape.Vocabulary]);
        var (queries, keys) = (shape.Heads * shape.HeadLength, shape.KeyValueHeads * shape.HeadLength);
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            yield return ($"blk.{layer}.attn_norm.weight", [shape.Width]);
            yield return ($"blk.{layer}.attn_q.weight", [shape.Width, queries]);
            yield return ($"blk.{layer}.attn_k.weight", [shape.Width, keys]);
            yield return ($"blk.{layer}.attn_v.weight", [shape.Width, keys]);
            yield return ($"blk.{layer}.attn_output.weight", [queries, shape.Width]);
            yield return ($"blk.{layer}.attn_q_norm.weight", [shape.HeadLength]);
            yield return ($"blk.{layer}.attn_k_norm.weight", [shape.HeadLength]);
            yield return ($"blk.{layer}.ffn_norm.weight", [shape.Width]);
            yield return ($"blk.{layer}.ffn_gate_inp.weight", [shape.Width, shape.Experts]);
            yield return ($"blk.{layer}.ffn_gate_exps.weight", [shape.Width, shape.ExpertLength, shape.Experts]);
            yield return ($"blk.{layer}.ffn_up_exps.weight", [shape.Width, shape.ExpertLength, shape.Experts]);
            yield return ($"blk.{layer}.ffn_down_exps.weight", [shape.ExpertLength, shape.Width, shape.Experts]);
        }
    }

    private static void AddTensor(GgufWriter writer, string name, long[] dimensions, string file)
    {
        float[] values = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(file)).ToArray();
        long expected = dimensions.Aggregate((product, dimension) => product * dimension);
        if (values.Length != expected)
        {
            throw new InvalidDataException($"'{file}' has {values.Length} values, and the shape needs {expected}: train again.");
        }

        // The router decides between nearly equal values, and vectors are too small to be worth quantizing.
        GgmlType type = dimensions.Length == 1 || name.Contains("ffn_gate_inp", StringComparison.Ordinal) ? GgmlType.F32 : GgmlType.Q8_0;
        int row = (int)dimensions[0];
        int rowBytes = (int)GgmlTypeInfo.Get(type).GetByteCount(row);
        byte[] data = new byte[values.Length / row * rowBytes];
        for (int i = 0; i < values.Length / row; i++)
        {
            GgmlQuantizer.EncodeRow(type, values.AsSpan(i * row, row), data.AsSpan(i * rowBytes, rowBytes));
        }

        writer.AddTensor(name, type, dimensions, data);
    }
}
