using System.Globalization;

namespace MoeOffload.Gguf;

/// <summary>Represents the position of a file in a model that is split into several files.</summary>
/// <param name="Index">The zero-based number of the file.</param>
/// <param name="Count">The number of files.</param>
/// <param name="TensorCount">The number of tensors in all files.</param>
public readonly record struct GgufSplit(int Index, int Count, int TensorCount)
{
    /// <summary>Gets the path of a part in the form that llama.cpp expects, such as <c>PREFIX-00001-of-00003.gguf</c>.</summary>
    /// <param name="prefix">The part of the path before the numbers, including the directory.</param>
    /// <param name="index">The zero-based number of the part.</param>
    /// <param name="count">The number of parts.</param>
    /// <returns>The path.</returns>
    public static string GetPath(string prefix, int index, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}-{index + 1:D5}-of-{count:D5}.gguf");

    internal static bool TryGetPrefix(string path, int index, int count, out string prefix)
    {
        var suffix = GetPath(string.Empty, index, count);
        prefix = path.EndsWith(suffix, StringComparison.Ordinal) ? path[..^suffix.Length] : string.Empty;
        return prefix.Length > 0;
    }
}
