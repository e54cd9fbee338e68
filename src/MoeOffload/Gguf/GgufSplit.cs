using System.Globalization;

namespace MoeOffload.Gguf;

/// <summary>The place of a file in a model that is split into several (keys <c>split.no</c>, <c>split.count</c>, <c>split.tensors.count</c>).</summary>
/// <param name="Index">The file's number, from 0.</param>
/// <param name="Count">How many files make the model.</param>
/// <param name="TensorCount">Tensors in all files together.</param>
public readonly record struct GgufSplit(int Index, int Count, int TensorCount)
{
    /// <summary>Gives the path of one part, by the naming that llama.cpp expects: <c>PREFIX-00001-of-00003.gguf</c>.</summary>
    /// <param name="prefix">Everything before the numbers, folder included.</param>
    /// <param name="index">The part, from 0.</param>
    /// <param name="count">How many parts there are.</param>
    public static string GetPath(string prefix, int index, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}-{index + 1:D5}-of-{count:D5}.gguf");

    internal static bool TryGetPrefix(string path, int index, int count, out string prefix)
    {
        var suffix = GetPath(string.Empty, index, count);
        prefix = path.EndsWith(suffix, StringComparison.Ordinal) ? path[..^suffix.Length] : string.Empty;
        return prefix.Length > 0;
    }
}
