namespace TinyMoe;

/// <summary>Provides the paths of the files: intermediate files in a working directory, and results in the repository.</summary>
internal sealed class Workspace
{
    public Workspace(string? directory)
    {
        Repository = FindRepository();
        Directory = Path.GetFullPath(directory ?? Path.Combine(Repository, "artifacts", "tiny-moe"));
    }

    public string Directory { get; }

    public string Repository { get; }

    /// <summary>Gets the path of the trainer's log.</summary>
    public string Log => Path.Combine(Directory, "log.jsonl");

    /// <summary>Gets the path of the model that was created.</summary>
    public string Model => Path.Combine(Directory, "tiny-moe.gguf");

    /// <summary>Gets the path of the model that the project includes.</summary>
    public string ShippedModel => Path.Combine(Repository, "samples", "TinyMoe", "tiny-moe.gguf");

    public string Card => Path.Combine(Repository, "docs", "models", "tiny-moe.md");

    /// <summary>Gets the folder of the model card's pictures.</summary>
    public string Pictures => Path.Combine(Repository, "docs", "models", "tiny-moe");

    private static string FindRepository()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "MoeOffload.sln")))
            {
                return at.FullName;
            }
        }

        throw new DirectoryNotFoundException("TinyMoe runs in a checkout of MoeOffload, and this is none.");
    }
}
