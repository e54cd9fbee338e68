namespace TinyMoe;

/// <summary>Where things lie: what is made on the way in a directory of its own, the results in the repository.</summary>
internal sealed class Workspace
{
    public Workspace(string? directory)
    {
        Repository = FindRepository();
        Directory = Path.GetFullPath(directory ?? Path.Combine(Repository, "artifacts", "tiny-moe"));
    }

    public string Directory { get; }

    public string Repository { get; }

    /// <summary>The trainer's log.</summary>
    public string Log => Path.Combine(Directory, "log.jsonl");

    /// <summary>The model as it was made.</summary>
    public string Model => Path.Combine(Directory, "tiny-moe.gguf");

    /// <summary>The model that comes with the project.</summary>
    public string ShippedModel => Path.Combine(Repository, "samples", "TinyMoe", "tiny-moe.gguf");

    public string Card => Path.Combine(Repository, "docs", "models", "tiny-moe.md");

    /// <summary>The folder of the card's pictures.</summary>
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
