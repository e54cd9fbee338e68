namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a plot with horizontal bars, each with the range of its repeats.</summary>
internal sealed record BarPlot : Plot
{
    private const double BarHeight = 18;
    private const double BarGap = 3;
    private const double GroupGap = 15;

    /// <summary>Gets the names of the series, one for each bar of a group.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>Gets the groups, from top to bottom.</summary>
    public required IReadOnlyList<BarGroup> Groups { get; init; }

    public override string Draw()
    {
        var svg = new Svg();
        double top = DrawHead(svg, Series);
        double labels = Groups.Max(group => Svg.WidthOf(group.Label));
        double groupHeight = (Series.Count * (BarHeight + BarGap)) - BarGap + GroupGap;
        double bottom = top + (Groups.Count * groupHeight);
        double largest = Groups.SelectMany(group => group.Bars).Max(bar => bar is { } value ? value.Most : 0);
        double start = Margin + Math.Min(labels, 260) + 10;

        // The space on the right is for the number after the longest bar.
        var scale = new Scale(largest, start, Width - Margin - 80);
        DrawBottomScale(svg, scale, top, bottom);
        for (int i = 0; i < Groups.Count; i++)
        {
            double y = top + (i * groupHeight) + (GroupGap / 2);
            svg.AddText(start - 10, y + (((Series.Count * (BarHeight + BarGap)) - BarGap) / 2) + 4.5, "end", "label", Groups[i].Label);
            for (int j = 0; j < Series.Count; j++)
            {
                if (Groups[i].Bars[j] is { } bar)
                {
                    DrawBar(svg, scale, bar, y + (j * (BarHeight + BarGap)), Colors[j % Colors.Length]);
                }
            }
        }

        return svg.ToImage(Width, bottom + 48, $"{Title}. {Subtitle}");
    }

    private static void DrawBar(Svg svg, Scale scale, Bar bar, double y, string color)
    {
        double middle = y + (BarHeight / 2);
        svg.Add("rect", $"bar {color}", ("x", scale.At(0)), ("y", y), ("width", scale.At(bar.Value) - scale.At(0)), ("height", BarHeight), ("rx", 2.0));
        if (bar.Most > bar.Least)
        {
            svg.Add("line", "whisker", ("x1", scale.At(bar.Least)), ("y1", middle), ("x2", scale.At(bar.Most)), ("y2", middle));
            svg.Add("line", "whisker", ("x1", scale.At(bar.Least)), ("y1", middle - 4), ("x2", scale.At(bar.Least)), ("y2", middle + 4));
            svg.Add("line", "whisker", ("x1", scale.At(bar.Most)), ("y1", middle - 4), ("x2", scale.At(bar.Most)), ("y2", middle + 4));
        }

        svg.AddText(scale.At(Math.Max(bar.Value, bar.Most)) + 7, middle + 4.5, "start", "small", bar.Text);
    }
}
