using System.Globalization;
using System.Text.RegularExpressions;

namespace MoeOffload.Catalog;

/// <summary>Represents the parsed name of a GGUF file.</summary>
/// <param name="Stem">The name without the extension and the part number.</param>
/// <param name="Part">The number of the part of a split model, starting at 1, or 1 for a model in one file.</param>
/// <param name="PartCount">The number of files of the model.</param>
internal readonly partial record struct GgufFileName(string Stem, int Part, int PartCount)
{
    private const string Ending = ".gguf";

    /// <summary>Gets a value that indicates whether the file is a multimodal projector, which accompanies a model.</summary>
    public bool IsProjector => Stem.Contains("mmproj", StringComparison.OrdinalIgnoreCase);

    /// <summary>Gets the quantization that the name ends with, in upper case, such as <c>Q4_K_M</c>, or <see langword="null"/> if there is none.</summary>
    public string? Quantization => QuantizationOf(Stem);

    /// <summary>Parses a file name.</summary>
    /// <param name="fileName">The file name without a directory.</param>
    /// <param name="name">The parsed name.</param>
    /// <returns><see langword="false"/> if it is not the name of a GGUF file.</returns>
    public static bool TryParse(string fileName, out GgufFileName name)
    {
        name = default;
        if (!fileName.EndsWith(Ending, StringComparison.OrdinalIgnoreCase) || fileName.Length == Ending.Length)
        {
            return false;
        }

        string stem = fileName[..^Ending.Length];
        name = new GgufFileName(stem, 1, 1);
        if (SplitSuffix().Match(stem) is { Success: true } split)
        {
            name = new GgufFileName(stem[..split.Index], Number(split, "part"), Number(split, "count"));
        }

        return true;
    }

    /// <summary>Gets the quantization that a text ends with, in upper case, or <see langword="null"/> if there is none.</summary>
    public static string? QuantizationOf(string text) =>
        QuantizationSuffix().Match(text) is { Success: true } match ? match.Groups["quant"].Value.ToUpperInvariant() : null;

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    // llama.cpp finds the parts of a model by these names (GgufSplit.GetPath).
    [GeneratedRegex("(?<=.)-(?<part>[0-9]{5})-of-(?<count>[0-9]{5})$", RegexOptions.CultureInvariant)]
    private static partial Regex SplitSuffix();

    // These are the names of llama-quantize, with the prefix of dynamic quantizations and the suffixes that publishers add.
    [GeneratedRegex(
        @"(?:^|[-._])(?<quant>(?:UD-)?(?:IQ[0-9]_[A-Z]{1,3}|Q[0-9]_K(?:_[A-Z]{1,2})?|Q[0-9]_[0-9](?:_[0-9])*|TQ[0-9]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex QuantizationSuffix();
}
