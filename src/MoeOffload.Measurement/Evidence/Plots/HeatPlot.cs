using System.Globalization;

namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a plot with a row of cells for each label. The larger a value is, the stronger is the color of its cell.</summary>
internal sealed record HeatPlot : Plot
{
    private const double TallestRow = 18;
    private const double HeightOfAll = 480;

    /// <summary>Gets the rows, from top to bottom. All have the same number of values.</summary>
    public required IReadOnlyList<(string Label, IReadOnlyList<double> Values)> Rows { get; init; }

    /// <summary>Gets the name of the columns.</summary>
    public required string ColumnName { get; init; }

    public override string Draw()
    {
        var svg = new Svg();
        double top = DrawHead(svg, []) + 6;
        double height = Math.Min(TallestRow, HeightOfAll / Rows.Count);
        double start = Margin + Rows.Max(row => Svg.WidthOf(row.Label)) + 10;
        double width = (Width - Margin - start) / Rows[0].Values.Count;
        double largest = Math.Max(double.Epsilon, Rows.Max(row => row.Values.Max()));
        double last = double.NegativeInfinity;
        for (int i = 0; i < Rows.Count; i++)
        {
            double y = top + (i * height);
            if (y - last >= 12)
            {
                last = y;
                svg.AddText(start - 8, y + (height / 2) + 4, "end", "soft small", Rows[i].Label);
            }

            for (int j = 0; j < Rows[i].Values.Count; j++)
            {
                string opacity = (Rows[i].Values[j] / largest).ToString("0.###", CultureInfo.InvariantCulture);
                svg.Add("rect", $"bar {Colors[0]}", ("x", start + (j * width)), ("y", y), ("width", width), ("height", height), ("fill-opacity", opacity));
            }
        }

        double bottom = top + (Rows.Count * height);
        svg.AddText(start, bottom + 18, "start", "soft small", ColumnName);
        svg.AddText(
            Width - Margin, bottom + 18, "end", "soft small", string.Create(CultureInfo.InvariantCulture, $"strongest color: {largest:0.##} {Unit}"));
        return svg.ToImage(Width, bottom + 32, $"{Title}. {Subtitle}");
    }
}
