using System.Text.Json;
using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>Chat templates of real models, which llama.cpp's source carries.</summary>
public static class RealTemplates
{
    private const int NormalToken = 1;
    private const int ControlToken = 3;
    private const int UserDefinedToken = 4;

    /// <summary>The names of the templates: those of llama.cpp's files, and Mixtral, whose template is only in a test.</summary>
    public static IReadOnlyList<string> Names =>
    [
        GptOss,
        "microsoft-Phi-3.5-mini-instruct",
        "deepseek-ai-DeepSeek-V3.1",
        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
        Qwen3,
        "Qwen3-Coder",
        "mistralai-Mistral-Nemo-Instruct-2407",
        Mixtral,
    ];

    /// <summary>OpenAI's harmony format.</summary>
    public static string GptOss => "openai-gpt-oss-120b";

    /// <summary>Qwen3, which thinks in tags and calls tools in JSON.</summary>
    public static string Qwen3 => "Qwen-Qwen3-0.6B";

    /// <summary>Mixtral 8x7B, whose template is that of Mistral 7B v0.2: it knows no system messages and no tools.</summary>
    public static string Mixtral => "Mixtral";

    /// <summary>Every template that llama.cpp's source has a file of.</summary>
    public static IEnumerable<string> Files =>
        Directory.EnumerateFiles(Folder, "*.jinja").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    private static string Folder => Path.Combine(RealVocabularies.SourceDirectory, "models", "templates");

    /// <summary>The text of a template.</summary>
    public static string Read(string name) =>
        name == Mixtral ? ReadFromTest("mistralai/Mistral-7B-Instruct-v0.2 (NOTE") : File.ReadAllText(Path.Combine(Folder, $"{name}.jinja"));

    /// <summary>Puts a template into a small model.</summary>
    /// <param name="source">The template.</param>
    /// <param name="model">The model.</param>
    /// <param name="endToken">The text of the token that ends a sequence; null leaves it.</param>
    /// <param name="specialTokens">Texts that become tokens, in place of the rarest ones: control tokens, or user-defined ones with a line break.</param>
    /// <returns>The model's file.</returns>
    public static string Write(string source, TinyModel? model = null, string? endToken = null, params IReadOnlyList<string> specialTokens)
    {
        model ??= TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 });
        GgufMetadata metadata = GgufFile.Open(model.Path).Metadata;
        metadata.TryGetValue("tokenizer.ggml.tokens", out GgufValue texts);
        metadata.TryGetValue("tokenizer.ggml.token_type", out GgufValue kinds);
        string[] tokens = texts.ToStringArray();
        int[] types = kinds.ToArray<int>();
        if (endToken is not null && metadata.TryGetValue("tokenizer.ggml.eos_token_id", out GgufValue end) && end.TryGetInt64(out long id))
        {
            tokens[id] = endToken;
        }

        for (int i = 0; i < specialTokens.Count; i++)
        {
            int rarest = Array.LastIndexOf(types, NormalToken);
            (tokens[rarest], types[rarest]) = (specialTokens[i], specialTokens[i].EndsWith('\n') ? UserDefinedToken : ControlToken);
        }

        return AlteredModels.Alter(model, writer =>
        {
            writer.Set("tokenizer.chat_template", source);
            writer.SetArray("tokenizer.ggml.tokens", tokens);
            writer.SetArray<int>("tokenizer.ggml.token_type", types);
        });
    }

    // C's escapes in it are also JSON's.
    private static string ReadFromTest(string name)
    {
        string[] lines = File.ReadAllLines(Path.Combine(RealVocabularies.SourceDirectory, "tests", "test-chat-template.cpp"));
        int line = Array.FindIndex(lines, text => text.Contains(name, StringComparison.Ordinal)) + 1;
        string literal = lines[line][lines[line].IndexOf('"', StringComparison.Ordinal)..(lines[line].LastIndexOf('"') + 1)];
        return JsonDocument.Parse(literal).RootElement.GetString()!;
    }
}
