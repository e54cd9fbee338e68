using System.Globalization;
using System.Text;

namespace MoeOffload.Placement;

/// <summary>Determines which tensors hold experts, and creates patterns for the experts of selected layers.</summary>
internal static class ExpertTensors
{
    /// <summary>llama.cpp's pattern for expert weights. It has no suffix, so that it also matches their biases and scales.</summary>
    public const string Pattern = @"\.ffn_(up|down|gate|gate_up)_(ch|)exps";

    /// <summary>The greatest number of layers that llama.cpp loads.</summary>
    public const int MaxLayers = 512;

    private static readonly string[] s_kinds = ["up", "down", "gate", "gate_up"];

    /// <summary>Determines whether <see cref="Pattern"/> is found in a tensor's name, without a regular expression.</summary>
    public static bool IsExpert(string tensorName)
    {
        const string Prefix = ".ffn_";
        for (var at = tensorName.IndexOf(Prefix, StringComparison.Ordinal); at >= 0;
             at = tensorName.IndexOf(Prefix, at + 1, StringComparison.Ordinal))
        {
            var rest = tensorName.AsSpan(at + Prefix.Length);
            foreach (var kind in s_kinds)
            {
                if (rest.StartsWith(kind, StringComparison.Ordinal)
                    && (rest[kind.Length..].StartsWith("_exps", StringComparison.Ordinal)
                        || rest[kind.Length..].StartsWith("_chexps", StringComparison.Ordinal)))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Creates a single pattern for the experts of several layers, since llama.cpp compiles each pattern again for each tensor.</summary>
    /// <param name="layers">The layer numbers, in ascending order and without duplicates. At least one is required.</param>
    public static string PatternOf(IReadOnlyList<int> layers) => PatternOfLayers(layers) + Pattern;

    /// <summary>Creates a pattern for one tensor of several layers, and nothing else.</summary>
    /// <param name="tensor">The name of the tensor without its layer, such as <c>ffn_up_exps.weight</c>.</param>
    /// <param name="layers">The layer numbers, in ascending order and without duplicates. At least one is required.</param>
    public static string PatternOf(string tensor, IReadOnlyList<int> layers) =>
        "^" + PatternOfLayers(layers) + @"\." + tensor.Replace(".", @"\.", StringComparison.Ordinal) + "$";

    private static string PatternOfLayers(IReadOnlyList<int> layers)
    {
        var alternatives = new List<string>();
        for (var start = 0; start < layers.Count;)
        {
            var end = start;
            while (end + 1 < layers.Count && layers[end + 1] == layers[end] + 1)
            {
                end++;
            }

            AddRange(alternatives, layers[start], layers[end]);
            start = end + 1;
        }

        return @"blk\.(" + string.Join('|', alternatives) + ")";
    }

    /// <summary>Gets the number of layers if a pattern is that of the first layers' experts; otherwise, <see langword="null"/>.</summary>
    public static int? FirstLayersOf(string pattern)
    {
        for (var count = 1; count <= MaxLayers; count++)
        {
            if (PatternOf([.. Enumerable.Range(0, count)]) == pattern)
            {
                return count;
            }
        }

        return null;
    }

    // Splits a range where the number of digits changes, then where the leading digits differ: 8..23 becomes [8-9], 1[0-9], 2[0-3].
    private static void AddRange(List<string> alternatives, int first, int last)
    {
        for (var low = first; low <= last;)
        {
            var block = 1;
            while (low % (block * 10) == 0 && low != 0 && low + (block * 10) - 1 <= last)
            {
                block *= 10;
            }

            // The leading digit of the block may run from the current one to 9, or to the end of the range.
            var digit = low / block % 10;
            var count = Math.Min(9 - digit, (last - low + 1 - block) / block) + 1;
            alternatives.Add(Digits(low / block / 10, digit, digit + count - 1, block));
            low += count * block;
        }
    }

    private static string Digits(int prefix, int from, int to, int block)
    {
        var text = new StringBuilder();
        if (prefix > 0)
        {
            text.Append(prefix.ToString(CultureInfo.InvariantCulture));
        }

        text.Append(from == to ? $"{from}" : $"[{from}-{to}]");
        for (; block > 1; block /= 10)
        {
            text.Append("[0-9]");
        }

        return text.ToString();
    }
}
