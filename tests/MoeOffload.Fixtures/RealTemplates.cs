using System.Text.Json;

namespace MoeOffload.Fixtures;

/// <summary>Chat templates of real models, which llama.cpp's source carries.</summary>
public static class RealTemplates
{
    /// <summary>Their names: those of llama.cpp's files, and Mixtral, of which only a test has the template.</summary>
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
    /// <returns>The model's file.</returns>
    public static string Write(string source, TinyModel? model = null) => AlteredModels.Alter(
        model ?? TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 }),
        writer => writer.Set("tokenizer.chat_template", source));

    // C's escapes in it are also JSON's.
    private static string ReadFromTest(string name)
    {
        string[] lines = File.ReadAllLines(Path.Combine(RealVocabularies.SourceDirectory, "tests", "test-chat-template.cpp"));
        int line = Array.FindIndex(lines, text => text.Contains(name, StringComparison.Ordinal)) + 1;
        string literal = lines[line][lines[line].IndexOf('"', StringComparison.Ordinal)..(lines[line].LastIndexOf('"') + 1)];
        return JsonDocument.Parse(literal).RootElement.GetString()!;
    }
}
