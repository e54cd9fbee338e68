using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace MoeOffload.Catalog;

/// <summary>Represents a model on a hub.</summary>
/// <param name="Repository">The name of the repository, <c>ORG/REPO</c>.</param>
/// <param name="Variant">The quantization or the file name, or <see langword="null"/> to let <see cref="ModelPull"/> choose.</param>
public sealed partial record ModelReference(string Repository, string? Variant)
{
    /// <summary>Parses <c>ORG/REPO</c> or <c>ORG/REPO:QUANT</c>, with an optional prefix <c>hf.co/</c>.</summary>
    /// <param name="text">The text to parse.</param>
    /// <param name="reference">The parsed reference, or <see langword="null"/> if the text is not valid.</param>
    /// <returns><see langword="true"/> if the text is a valid reference; otherwise, <see langword="false"/>.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ModelReference? reference)
    {
        Match match = Pattern().Match(text ?? string.Empty);
        string repository = match.Groups["repository"].Value;
        // Hugging Face does not allow these in names, and the layout of the cache relies on that.
        bool isOne = match.Success && !repository.Contains("--", StringComparison.Ordinal) && !repository.Contains("..", StringComparison.Ordinal);
        reference = isOne ? new ModelReference(repository, match.Groups["variant"] is { Success: true } variant ? variant.Value : null) : null;
        return isOne;
    }

    /// <summary>Parses a reference.</summary>
    /// <inheritdoc cref="TryParse" path="/param[@name='text']"/>
    /// <exception cref="FormatException"><paramref name="text"/> is not a valid reference.</exception>
    public static ModelReference Parse(string text) => TryParse(text, out ModelReference? reference)
        ? reference
        : throw new FormatException($"'{text}' is not a valid model reference. Write ORG/REPO or ORG/REPO:QUANT, such as ggml-org/gpt-oss-20b-GGUF:MXFP4.");

    /// <summary>Returns the reference in the form that <see cref="Parse"/> accepts.</summary>
    public override string ToString() => Variant is null ? Repository : $"{Repository}:{Variant}";

    [GeneratedRegex(
        @"^(?:(?:hf\.co|huggingface\.co)/)?(?<repository>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?::(?<variant>[\w./-]{1,255}))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ECMAScript)]
    private static partial Regex Pattern();
}
