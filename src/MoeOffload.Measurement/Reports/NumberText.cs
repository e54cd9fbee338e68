using System.Globalization;

namespace MoeOffload.Measurement.Reports;

/// <summary>Formats numbers for tables.</summary>
internal static class NumberText
{
    /// <summary>Formats a number with about four digits, or a dash if there is none.</summary>
    public static string Of(double? value) => value is { } number && double.IsFinite(number)
        ? number.ToString(Format(Math.Abs(number)), CultureInfo.InvariantCulture)
        : "-";

    private static string Format(double size) => size switch
    {
        0 => "0",
        < 0.001 => "0.0e+0",
        < 10 => "0.###",
        < 100 => "0.##",
        < 1000 => "0.#",
        _ => "0",
    };
}
