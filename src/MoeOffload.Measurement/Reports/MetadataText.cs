using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Reports;

/// <summary>Formats the metadata of a model for display.</summary>
internal static class MetadataText
{
    private const int Longest = 100;

    /// <summary>Formats a value on one line, shortened if it is too long.</summary>
    public static string Of(GgufValue value)
    {
        string text = value.ToString()!.ReplaceLineEndings(" ");
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
