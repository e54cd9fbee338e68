namespace MoeOffload.Catalog;

/// <summary>Where a <see cref="ModelCatalog"/> looks. Plain data; what does not exist is passed over.</summary>
public sealed record ModelCatalogOptions
{
    /// <summary>The separators of a list of paths in one text: <c>;</c> everywhere, and the system's own.</summary>
    private static readonly char[] s_separators = [.. new[] { ';', Path.PathSeparator }.Distinct()];

    /// <summary>Directories, searched with those below them, and GGUF files. Default: <c>./models</c>.</summary>
    public IReadOnlyList<string> Paths { get; init; } = ["./models"];

    /// <summary>The Hugging Face cache, which has <c>models--ORG--REPO</c> directories. Default: none.</summary>
    public string? HuggingFaceCache { get; init; }

    /// <summary>LM Studio's model directories, which have <c>PUBLISHER/REPO</c> directories. Default: none.</summary>
    public IReadOnlyList<string> LmStudioDirectories { get; init; } = [];

    /// <summary>Ollama's model directories, which have <c>manifests</c> and <c>blobs</c>. Default: none.</summary>
    public IReadOnlyList<string> OllamaDirectories { get; init; } = [];

    /// <summary>
    /// <c>./models</c> and the stores of this user, with what the environment says of them: <c>SHIMMY_BASE_GGUF</c>,
    /// <c>SHIMMY_MODEL_PATHS</c>, <c>HF_HUB_CACHE</c>, <c>HUGGINGFACE_HUB_CACHE</c>, <c>HF_HOME</c>, <c>XDG_CACHE_HOME</c>,
    /// <c>OLLAMA_MODELS</c>.
    /// </summary>
    /// <param name="read">Reads a variable; null reads this process's environment.</param>
    public static ModelCatalogOptions FromEnvironment(Func<string, string?>? read = null)
    {
        string? Value(string name) => (read ?? Environment.GetEnvironmentVariable)(name) is { Length: > 0 } value ? value : null;
        string home = Value("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string[] models = Value("SHIMMY_BASE_GGUF") is { } file ? [file] : [];
        return new ModelCatalogOptions
        {
            Paths = [.. models, "./models", .. SplitPaths(Value("SHIMMY_MODEL_PATHS"))],
            HuggingFaceCache = Value("HF_HUB_CACHE")
                ?? Value("HUGGINGFACE_HUB_CACHE")
                ?? Path.Combine(Value("HF_HOME") ?? Path.Combine(Value("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache"), "huggingface"), "hub"),
            LmStudioDirectories = LmStudio(home),
            OllamaDirectories = Value("OLLAMA_MODELS") is { } ollama
                ? [ollama]
                : [Path.Combine(home, ".ollama", "models"), "/usr/share/ollama/.ollama/models"],
        };
    }

    /// <summary>Splits a list of paths as <c>SHIMMY_MODEL_PATHS</c> has it: separated by <c>;</c> or the system's path separator.</summary>
    /// <param name="list">The list; null is an empty one.</param>
    public static IReadOnlyList<string> SplitPaths(string? list) =>
        list?.Split(s_separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    // LM Studio writes where its home is into a file, when a user has moved it.
    private static string[] LmStudio(string home)
    {
        string pointer = Path.Combine(home, ".lmstudio-home-pointer");
        string? moved = FileSearch.Try(() => File.Exists(pointer) ? File.ReadAllText(pointer).Trim() : null);
        string[] homes = [.. new[] { moved, Path.Combine(home, ".lmstudio"), Path.Combine(home, ".cache", "lm-studio") }.OfType<string>()];
        return [.. homes.Where(directory => directory.Length > 0).Select(directory => Path.Combine(directory, "models"))];
    }
}
