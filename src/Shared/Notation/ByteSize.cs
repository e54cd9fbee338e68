using System.Globalization;

namespace MoeOffload.Shared;

/// <summary>Parses sizes in bytes.</summary>
internal static class ByteSize
{
    private static readonly Dictionary<string, long> s_units = new(StringComparer.OrdinalIgnoreCase)
    {
        [""] = 1,
        ["B"] = 1,
        ["K"] = 1L << 10,
        ["KiB"] = 1L << 10,
        ["KB"] = 1000,
        ["M"] = 1L << 20,
        ["MiB"] = 1L << 20,
        ["MB"] = 1000_000,
        ["G"] = 1L << 30,
        ["GiB"] = 1L << 30,
        ["GB"] = 1000_000_000,
        ["T"] = 1L << 40,
        ["TiB"] = 1L << 40,
        ["TB"] = 1000_000_000_000,
    };

    /// <summary>Parses a number with an optional unit; null if the text is not a size.</summary>
    public static long? TryParse(string text)
    {
        int end = text.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        return double.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            && s_units.TryGetValue(text[end..].Trim(), out long unit) && number * unit is > 0 and < long.MaxValue / 2.0
            ? (long)(number * unit)
            : null;
    }
}
