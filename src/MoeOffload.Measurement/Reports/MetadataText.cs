using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Reports;

/// <summary>Values of a model's metadata for people to read.</summary>
internal static class MetadataText
{
    private const int Longest = 100;

    /// <summary>A value on one line, and no more of it than fits there.</summary>
    public static string Of(GgufValue value)
    {
        string text = value.ToString()!.ReplaceLineEndings(" ");
        return text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
