namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>A plot of a report.</summary>
/// <remarks>
/// The few shapes that reports need are drawn here: OxyPlot's SVG export cuts off labels, whose width it guesses too small, has its colours
/// for one background only, and gives clip paths ids that collide where several plots share a page.
/// </remarks>
internal abstract record Plot
{
    /// <summary>Width of all plots, in pixels.</summary>
    protected const double Width = 760;

    /// <summary>Space between the image's edge and what is drawn.</summary>
    protected const double Margin = 16;

    /// <summary>The classes that colour series, in their order.</summary>
    protected static string[] Colors { get; } = ["a", "b", "c", "d"];

    /// <summary>What is shown.</summary>
    public required string Title { get; init; }

    /// <summary>Under what conditions.</summary>
    public required string Subtitle { get; init; }

    /// <summary>The unit of the values.</summary>
    public required string Unit { get; init; }

    /// <summary>The SVG image.</summary>
    public abstract string Draw();

    /// <summary>Draws title and legend.</summary>
    /// <param name="svg">Where to.</param>
    /// <param name="series">What the colours mean; none for a plot of one.</param>
    /// <returns>Where the rest begins.</returns>
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

    /// <summary>Draws a scale along the bottom, its lines upwards.</summary>
    /// <param name="svg">Where to.</param>
    /// <param name="scale">The scale.</param>
    /// <param name="top">Where its lines begin.</param>
    /// <param name="bottom">Where they end.</param>
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
