using System.Text.RegularExpressions;

namespace MoeOffload.Catalog;

internal readonly partial record struct GgufFileName
{
    private static readonly Regex s_splitSuffix = GeneratedRegexAttribute.Create(typeof(GgufFileName), nameof(SplitSuffix));
    private static readonly Regex s_quantizationSuffix = GeneratedRegexAttribute.Create(typeof(GgufFileName), nameof(QuantizationSuffix));

    private static partial Regex SplitSuffix() => s_splitSuffix;

    private static partial Regex QuantizationSuffix() => s_quantizationSuffix;
}

public sealed partial record ModelReference
{
    private static readonly Regex s_pattern = GeneratedRegexAttribute.Create(typeof(ModelReference), nameof(Pattern));

    private static partial Regex Pattern() => s_pattern;
}

internal static partial class OllamaStore
{
    private static readonly Regex s_digest = GeneratedRegexAttribute.Create(typeof(OllamaStore), nameof(Digest));

    private static partial Regex Digest() => s_digest;
}
