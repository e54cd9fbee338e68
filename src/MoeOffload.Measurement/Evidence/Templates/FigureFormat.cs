using MoeOffload.Measurement.Evidence.Figures;


namespace MoeOffload.Measurement.Evidence.Templates;

/// <summary>Formats figures as placeholders specify.</summary>
internal static class FigureFormat
{
    private static readonly Dictionary<string, double> s_sizes = new(StringComparer.Ordinal)
    {
        ["KiB"] = 1L << 10,
        ["MiB"] = 1L << 20,
        ["GiB"] = 1L << 30,
        ["MB"] = 1e6,
        ["GB"] = 1e9,
    };

    /// <summary>Formats a figure.</summary>
    /// <param name="figure">The figure.</param>
    /// <param name="format">
    /// Null for the format of the report, with the unit; <c>number</c> for the same format without the unit; a unit of bytes; or <c>0</c>,
    /// <c>0.0</c> and so on for the figure with this number of decimals.
    /// </param>
    /// <exception cref="FormatException">The format does not exist, or does not apply to this figure.</exception>
    public static string Write(Figure figure, string? format)
    {
        if (format is null or "number")
        {
            return format is null ? Units.Text(figure) : Units.Number(figure);
        }

        if (s_sizes.TryGetValue(format, out double size))
        {
            return figure.Unit == Units.Bytes
                ? $"{Units.Format(figure.Value / size, "0.0")} {format}"
                : throw new FormatException($"'{figure.Id}' is in {figure.Unit}, which cannot be written in {format}.");
        }

        return format is ['0'] or ['0', '.', ..] && format.Length <= 12 && format.Skip(2).All(digit => digit == '0')
            ? Units.Format(figure.Value, format)
            : throw new FormatException($"'{format}' is not a valid format: use number, {string.Join(", ", s_sizes.Keys)}, and 0, 0.0, 0.00 for decimals.");
    }
}
