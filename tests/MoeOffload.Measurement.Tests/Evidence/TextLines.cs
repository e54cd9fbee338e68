namespace MoeOffload.Measurement.Tests.Evidence;

/// <summary>Lines of a text.</summary>
internal static class TextLines
{
    /// <summary>The lines, each with its end.</summary>
    public static string[] SplitLines(this string text) => [.. text.TrimEnd('\n').Split('\n').Select(line => line + "\n")];
}
