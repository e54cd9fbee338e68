using System.Text.RegularExpressions;

namespace MoeOffload.Documentation.Tests;

/// <summary>Represents a C# sample of a Markdown file.</summary>
/// <param name="File">The file's path, relative to the repository.</param>
/// <param name="Line">The line in which the sample begins, counted from 1.</param>
/// <param name="Context">
/// What the sample takes for granted: the C# in an HTML comment, <c>&lt;!-- csharp</c>, right before it, which readers of the page do not see.
/// </param>
/// <param name="Code">The sample.</param>
public sealed partial record Snippet(string File, int Line, string Context, string Code)
{
    /// <summary>Finds the samples of a Markdown file.</summary>
    /// <param name="repository">The repository's directory.</param>
    /// <param name="file">The file's path, relative to the repository.</param>
    public static IEnumerable<Snippet> In(string repository, string file)
    {
        string text = System.IO.File.ReadAllText(Path.Combine(repository, file)).ReplaceLineEndings("\n");
        return Sample().Matches(text).Select(match => new Snippet(
            file,
            text.AsSpan(0, match.Groups["code"].Index).Count('\n') + 1,
            match.Groups["context"].Value,
            match.Groups["code"].Value));
    }

    public override string ToString() => $"{File}:{Line}";

    [GeneratedRegex(@"(?:^<!-- csharp\n(?<context>(?:(?!-->).)*?)-->\n+)?^```(?:csharp|cs|c#)\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Sample();
}
