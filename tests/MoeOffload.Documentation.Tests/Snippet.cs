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
    /// <summary>
    /// Gets a value indicating whether the sample is run: its comment begins with <c>&lt;!-- csharp run</c>. It finds the demo model as
    /// <c>model.gguf</c> in its directory.
    /// </summary>
    public bool IsRun { get; private init; }

    /// <summary>Gets what the sample reads from standard input: the rest of that line, whose lines are separated by <c>|</c>.</summary>
    public string Input { get; private init; } = string.Empty;

    /// <summary>Gets the output that the page shows in a block right after the sample, in which <c>…</c> stands for any text.</summary>
    public string Output { get; private init; } = string.Empty;

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
            match.Groups["code"].Value)
        {
            IsRun = match.Groups["run"].Success,
            Input = match.Groups["input"].Value.Trim().Replace('|', '\n'),
            Output = match.Groups["output"].Value,
        });
    }

    public override string ToString() => $"{File}:{Line}";

    [GeneratedRegex(
        """
        (?:^<!--\ csharp(?<run>\ run(?<input>[^\n]*?))?(?:\n(?<context>(?:(?!-->).)*?)|\ )-->\n+)?
        ^```(?:csharp|cs|c\#)\n(?<code>.*?)^```
        (?:\n+^```output\n(?<output>.*?)^```)?
        """,
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Sample();
}
