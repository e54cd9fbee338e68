using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace MoeOffload.Catalog;

/// <summary>A model of a hub.</summary>
/// <param name="Repository">The repository, <c>ORG/REPO</c>.</param>
/// <param name="Variant">The quantization or file of it; null leaves the choice to <see cref="ModelPull"/>.</param>
public sealed partial record ModelReference(string Repository, string? Variant)
{
    /// <summary>Reads <c>ORG/REPO</c> or <c>ORG/REPO:QUANT</c>, with or without <c>hf.co/</c> before it.</summary>
    /// <param name="text">The reference.</param>
    /// <param name="reference">What it says.</param>
    /// <returns>False where it is none.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ModelReference? reference)
    {
        Match match = Pattern().Match(text ?? string.Empty);
        string repository = match.Groups["repository"].Value;
        // Hugging Face forbids both in names, and the cache's layout relies on it.
        bool isOne = match.Success && !repository.Contains("--", StringComparison.Ordinal) && !repository.Contains("..", StringComparison.Ordinal);
        reference = isOne ? new ModelReference(repository, match.Groups["variant"] is { Success: true } variant ? variant.Value : null) : null;
        return isOne;
    }

    /// <summary>Reads a reference.</summary>
    /// <inheritdoc cref="TryParse" path="/param[@name='text']"/>
    /// <exception cref="FormatException">It is none.</exception>
    public static ModelReference Parse(string text) => TryParse(text, out ModelReference? reference)
        ? reference
        : throw new FormatException($"'{text}' is no model of a hub: write ORG/REPO or ORG/REPO:QUANT, for instance ggml-org/gpt-oss-20b-GGUF:MXFP4.");

    /// <summary>The reference as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => Variant is null ? Repository : $"{Repository}:{Variant}";

    [GeneratedRegex(
        @"^(?:(?:hf\.co|huggingface\.co)/)?(?<repository>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?::(?<variant>[\w./-]{1,255}))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ECMAScript)]
    private static partial Regex Pattern();
}
