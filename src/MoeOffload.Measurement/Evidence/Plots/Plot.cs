namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a plot of a report.</summary>
/// <remarks>
/// Reports need only a few shapes, so no plotting library is used. OxyPlot's SVG export underestimates the width of labels and truncates
/// them, supports colors for only one background, and uses ids for clip paths that collide if several plots are on the same page.
/// </remarks>
internal abstract record Plot
{
    /// <summary>The width of all plots, in pixels.</summary>
    protected const double Width = 760;

    /// <summary>The margin between the edge of the image and its content, in pixels.</summary>
    protected const double Margin = 16;

    /// <summary>Gets the CSS classes that define the color of each series.</summary>
    protected static string[] Colors { get; } = ["a", "b", "c", "d"];

    /// <summary>Gets the title.</summary>
    public required string Title { get; init; }

    /// <summary>Gets the subtitle, which names the conditions of the measurement.</summary>
    public required string Subtitle { get; init; }

    /// <summary>Gets the unit of the values.</summary>
    public required string Unit { get; init; }

    /// <summary>Renders the plot as an SVG image.</summary>
    public abstract string Draw();

    /// <summary>Draws the title and the legend.</summary>
    /// <param name="svg">The image.</param>
    /// <param name="series">The names of the series; empty if there is only one.</param>
    /// <returns>The vertical position of the rest, in pixels.</returns>
    protected double DrawHead(Svg svg, IReadOnlyList<string> series)
    {
        svg.AddText(Margin, 28, "start", "title", Title);
        svg.AddText(Margin, 47, "start", "soft small", Subtitle);
        if (series.Count < 2)
        {
            return 62;
        }

        double x = Margin;
        for (int i = 0; i < series.Count; i++)
        {
            svg.Add("rect", $"bar {Colors[i % Colors.Length]}", ("x", x), ("y", 60.0), ("width", 12.0), ("height", 12.0), ("rx", 2.0));
            svg.AddText(x + 18, 71, "start", "small", series[i]);
            x += 18 + Svg.WidthOf(series[i]) + 16;
        }

        return 86;
    }

    /// <summary>Draws a scale at the bottom, with vertical grid lines.</summary>
    /// <param name="svg">The image.</param>
    /// <param name="scale">The scale.</param>
    /// <param name="top">The top of the grid lines, in pixels.</param>
    /// <param name="bottom">The bottom of the grid lines, in pixels.</param>
    protected void DrawBottomScale(Svg svg, Scale scale, double top, double bottom)
    {
        foreach (double tick in scale.Ticks)
        {
            double x = scale.At(tick);
            svg.Add("line", tick == 0 ? "axis" : "grid", ("x1", x), ("y1", top), ("x2", x), ("y2", bottom));
            svg.AddText(x, bottom + 17, "middle", "soft small", scale.Text(tick));
        }

        svg.AddText(scale.End, bottom + 35, "end", "soft small", Unit);
    }
}
