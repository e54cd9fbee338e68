using System.Globalization;
using MoeOffload.Measurement.Statistics;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Formats figures and their units.</summary>
internal static class Units
{
    public const string Bytes = "bytes";
    public const string Nats = "nats";
    public const string None = "";
    public const string Percent = "%";
    public const string Ratio = "times";
    public const string Speed = "tokens/s";
    public const string Time = "ms";
    public const string Tokens = "tokens";

    private const double Mebibyte = 1 << 20;

    /// <summary>Formats a figure with its unit. Bytes are converted to MiB: <c>1369.0 MiB</c>.</summary>
    public static string Text(Figure figure) => figure.Unit switch
    {
        None => Number(figure),
        Ratio => $"{Number(figure)} times",
        Bytes => $"{Number(figure)} MiB",
        _ => $"{Number(figure)} {figure.Unit}",
    };

    /// <summary>Formats a figure without its unit. Bytes are converted to MiB.</summary>
    public static string Number(Figure figure) => figure.Unit switch
    {
        Bytes => Format(Shown(figure), "0.0"),
        Percent => Format(figure.Value, "0.0"),
        Tokens => Format(figure.Value, "0"),
        Ratio => Format(figure.Value, "0.00"),
        _ when figure.Statistic == Statistic.Count => Format(figure.Value, "0"),
        _ => ThreeDigits(figure.Value),
    };

    /// <summary>Returns the value of a figure for display. Bytes are converted to MiB.</summary>
    public static double Shown(Figure figure) => figure.Unit == Bytes ? figure.Value / Mebibyte : figure.Value;

    /// <summary>Formats a number with a .NET format string and the invariant culture.</summary>
    public static string Format(double value, string format)
    {
        string text = value.ToString(format, CultureInfo.InvariantCulture);
        return text.StartsWith('-') && text.All(character => character is '-' or '0' or '.') ? text[1..] : text;
    }

    private static string ThreeDigits(double value) => Math.Abs(value) switch
    {
        0 => "0",
        < 1e-3 => Format(value, "0.0e+0"),
        < 1 => Format(value, "0.0000"),
        < 10 => Format(value, "0.00"),
        < 100 => Format(value, "0.0"),
        _ => Format(value, "0"),
    };
}
