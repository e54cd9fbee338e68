namespace MoeOffload.Catalog;

/// <summary>Specifies the places that a <see cref="ModelCatalog"/> searches. Places that do not exist are skipped.</summary>
public sealed record ModelCatalogOptions
{
    /// <summary>Contains the separators of a list of paths: <c>;</c> on every system, and the system's path separator.</summary>
    private static readonly char[] s_separators = [.. new[] { ';', Path.PathSeparator }.Distinct()];

    /// <summary>Gets the directories, which are searched with their subdirectories, and GGUF files. The default is <c>./models</c>.</summary>
    public IReadOnlyList<string> Paths
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Paths));
    } = ["./models"];

    /// <summary>Gets the Hugging Face cache, which has <c>models--ORG--REPO</c> directories. The default is <see langword="null"/>: no cache is searched.</summary>
    public string? HuggingFaceCache { get; init; }

    /// <summary>Gets LM Studio's model directories, which have <c>PUBLISHER/REPO</c> directories. The default is an empty list.</summary>
    public IReadOnlyList<string> LmStudioDirectories
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(LmStudioDirectories));
    } = [];

    /// <summary>Gets Ollama's model directories, which have <c>manifests</c> and <c>blobs</c>. The default is an empty list.</summary>
    public IReadOnlyList<string> OllamaDirectories
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(OllamaDirectories));
    } = [];

    /// <summary>
    /// Creates options for <c>./models</c> and the model stores of the current user, which these environment variables change: <c>SHIMMY_BASE_GGUF</c>,
    /// <c>SHIMMY_MODEL_PATHS</c>, <c>HF_HUB_CACHE</c>, <c>HUGGINGFACE_HUB_CACHE</c>, <c>HF_HOME</c>, <c>XDG_CACHE_HOME</c>,
    /// <c>OLLAMA_MODELS</c>.
    /// </summary>
    /// <param name="read">The function that reads a variable, or <see langword="null"/> to read the environment of this process.</param>
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

    /// <summary>Splits a list of paths that are separated by <c>;</c> or the system's path separator, as in <c>SHIMMY_MODEL_PATHS</c>.</summary>
    /// <param name="list">The list, or <see langword="null"/> for an empty list.</param>
    public static IReadOnlyList<string> SplitPaths(string? list) =>
        [.. (list ?? string.Empty).Split(s_separators).Select(static path => path.Trim()).Where(static path => path.Length > 0)];

    // If a user has moved LM Studio's home directory, a file contains its location.
    private static string[] LmStudio(string home)
    {
        string pointer = Path.Combine(home, ".lmstudio-home-pointer");
        string? moved = FileSearch.Try(() => File.Exists(pointer) ? File.ReadAllText(pointer).Trim() : null);
        string[] homes = [.. new[] { moved, Path.Combine(home, ".lmstudio"), Path.Combine(home, ".cache", "lm-studio") }.OfType<string>()];
        return [.. homes.Where(directory => directory.Length > 0).Select(directory => Path.Combine(directory, "models"))];
    }
}
