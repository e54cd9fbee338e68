using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>
/// Vocabularies of real models, which llama.cpp's source carries without weights, each put into a model of one layer of zeros, so that
/// everything that loads models can load them.
/// </summary>
public static class RealVocabularies
{
    private const int EmbeddingLength = 32;

    private static readonly Lazy<string> s_source = new(FindSource);

    /// <summary>llama.cpp's source.</summary>
    public static string SourceDirectory => s_source.Value;

    /// <summary>The vocabularies that such a model is made of; the names are those of llama.cpp's files.</summary>
    public static IReadOnlyList<string> Names => ["llama-bpe", "qwen2", "deepseek-llm", "gpt-2", "phi-3", "llama-spm"];

    /// <summary>Writes the model of a vocabulary.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="directory">The folder to write to.</param>
    /// <returns>The file.</returns>
    public static string Write(string name, string directory)
    {
        GgufFile vocabulary = GgufFile.Open(VocabularyFile(name));
        var writer = new GgufWriter();
        writer.Set(GgufKeys.Architecture, "llama");
        foreach ((string key, GgufValue value) in vocabulary.Metadata)
        {
            if (key.StartsWith("tokenizer.", StringComparison.Ordinal))
            {
                writer.Set(key, value);
            }
        }

        vocabulary.Metadata.TryGetValue("tokenizer.ggml.tokens", out GgufValue tokens);
        writer.Set("llama.block_count", 1u);
        writer.Set("llama.context_length", 256u);
        writer.Set("llama.embedding_length", (uint)EmbeddingLength);
        writer.Set("llama.feed_forward_length", (uint)EmbeddingLength);
        writer.Set("llama.attention.head_count", 1u);
        writer.Set("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        writer.Set("llama.vocab_size", (uint)tokens.Count);
        AddZeros("token_embd.weight", GgmlType.Q4_0, EmbeddingLength, tokens.Count);
        AddZeros("output_norm.weight", GgmlType.F32, EmbeddingLength);
        AddZeros("blk.0.attn_norm.weight", GgmlType.F32, EmbeddingLength);
        AddZeros("blk.0.ffn_norm.weight", GgmlType.F32, EmbeddingLength);
        foreach (string matrix in (ReadOnlySpan<string>)["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"])
        {
            AddZeros($"blk.0.{matrix}.weight", GgmlType.F16, EmbeddingLength, EmbeddingLength);
        }

        string path = Path.Combine(directory, $"{name}.gguf");
        writer.Write(path);
        return path;

        void AddZeros(string tensor, GgmlType type, params ReadOnlySpan<long> dimensions) =>
            writer.AddTensor(tensor, type, dimensions, static (_, destination) => destination.Clear());
    }

    /// <summary>llama.cpp's own test texts for a vocabulary, with the tokens that the model's original tokenizer makes of them.</summary>
    public static IEnumerable<(string Text, int[] Tokens)> Examples(string name)
    {
        string[] texts = File.ReadAllText(VocabularyFile(name) + ".inp").Split("\n__ggml_vocab_test__\n");
        string[] tokens = File.ReadAllLines(VocabularyFile(name) + ".out");
        return texts.Zip(tokens, (text, line) =>
            (text, line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray()));
    }

    /// <summary>Gets the path of a vocabulary alone, which has no tensors.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public static string VocabularyFile(string name) => Path.Combine(SourceDirectory, "models", $"ggml-vocab-{name}.gguf");

    // The source that the native libraries were built from; fetched if it is not in the cache any more.
    // The variable is for systems on which CMake cannot run, such as Wine.
    private static string FindSource()
    {
        if (Environment.GetEnvironmentVariable("LLAMA_CPP_SOURCE_DIR") is { } directory)
        {
            return directory;
        }

        PeerResult source = CMake.Run("source.cmake");
        return source.ExitCode == 0 ? source.Text.Trim() : throw new DirectoryNotFoundException($"native/cmake/source.cmake gave no llama.cpp source: {source.Errors}");
    }
}
