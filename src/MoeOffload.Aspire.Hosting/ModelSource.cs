using System.Text.RegularExpressions;

namespace MoeOffload.Aspire.Hosting;

/// <summary>Represents the model that a server loads when it starts: a file, or a name.</summary>
/// <param name="Name">The text of the app host.</param>
internal sealed partial record ModelSource(string Name)
{
    private const string Extension = ".gguf";

    /// <summary>Gets whether the text is a repository of Hugging Face, which the server downloads.</summary>
    public bool IsOnHub => !IsFile && Repository().IsMatch(Name);

    private bool IsFile => Name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || Path.IsPathRooted(Name);

    /// <summary>Gets the arguments of <c>moe serve</c>.</summary>
    /// <param name="directory">The directory that relative paths start in, or <see langword="null"/> if the server has another file system.</param>
    public IEnumerable<string> Arguments(string? directory) => IsOnHub
        ? ["--hf-repo", Name]
        : ["--model", directory is not null && IsFile ? Path.GetFullPath(Name, directory) : Name];

    [GeneratedRegex(@"^[\w.-]+/[\w.-]+(:[\w.-]+)?$")]
    private static partial Regex Repository();
}
