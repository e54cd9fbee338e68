namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a plot with horizontal bars that consist of several parts in different colors.</summary>
internal sealed record StackedBarPlot : Plot
{
    private const double BarHeight = 24;
    private const double RowHeight = 36;

    /// <summary>Gets the names of the parts.</summary>
    public required IReadOnlyList<string> Parts { get; init; }

    /// <summary>Gets the bars, from top to bottom.</summary>
    public required IReadOnlyList<StackedBar> Bars { get; init; }

    public override string Draw()
    {
        var svg = new Svg();
        double top = DrawHead(svg, Parts);
        double bottom = top + (Bars.Count * RowHeight);
        double start = Margin + Math.Min(Bars.Max(bar => Svg.WidthOf(bar.Label)), 260) + 10;
        var scale = new Scale(Bars.Max(bar => bar.Parts.Sum()), start, Width - Margin - 90);
        DrawBottomScale(svg, scale, top, bottom);
        for (int i = 0; i < Bars.Count; i++)
        {
            double y = top + (i * RowHeight) + ((RowHeight - BarHeight) / 2);
            svg.AddText(start - 10, y + (BarHeight / 2) + 4.5, "end", "label", Bars[i].Label);
            double sum = 0;
            for (int j = 0; j < Parts.Count; j++)
            {
                double x = scale.At(sum);
                sum += Bars[i].Parts[j];
                svg.Add("rect", $"bar {Colors[j % Colors.Length]}", ("x", x), ("y", y), ("width", scale.At(sum) - x), ("height", BarHeight));
            }

            svg.AddText(scale.At(sum) + 7, y + (BarHeight / 2) + 4.5, "start", "small", Bars[i].Text);
        }

        return svg.ToImage(Width, bottom + 48, $"{Title}. {Subtitle}");
    }
}
