using System.Globalization;

namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a plot of values over a setting, with a curve for each series and the range of the repeats at each point.</summary>
internal sealed record LinePlot : Plot
{
    private const double Height = 250;

    /// <summary>Gets the name of the setting.</summary>
    public required string Setting { get; init; }

    /// <summary>Gets a value that indicates whether the axis of the setting is logarithmic with base 2.</summary>
    public bool IsDoubling { get; init; }

    /// <summary>Gets the curves.</summary>
    public required IReadOnlyList<Curve> Curves { get; init; }

    public override string Draw()
    {
        var svg = new Svg();
        double top = DrawHead(svg, [.. Curves.Select(curve => curve.Label)]) + 24;
        double bottom = top + Height;
        var up = new Scale(Curves.SelectMany(curve => curve.Points).Max(point => point.Most), bottom, top);
        double left = Margin + up.Ticks.Max(tick => Svg.WidthOf(up.Text(tick))) + 8;
        foreach (double tick in up.Ticks)
        {
            svg.Add("line", tick == 0 ? "axis" : "grid", ("x1", left), ("y1", up.At(tick)), ("x2", Width - Margin), ("y2", up.At(tick)));
            svg.AddText(left - 8, up.At(tick) + 4, "end", "soft small", up.Text(tick));
        }

        svg.AddText(Margin, top - 12, "start", "soft small", Unit);
        double[] settings = [.. Curves.SelectMany(curve => curve.Points).Select(point => point.Setting).Distinct().Order()];
        double At(double setting) => Place(setting, settings, left + 28, Width - Margin - 28);
        double last = double.NegativeInfinity;
        foreach (double setting in settings)
        {
            string text = setting.ToString("0.###", CultureInfo.InvariantCulture);
            if (At(setting) - last >= Svg.WidthOf(text) + 6)
            {
                last = At(setting);
                svg.AddText(last, bottom + 18, "middle", "soft small", text);
            }
        }

        svg.AddText((left + Width - Margin) / 2, bottom + 38, "middle", "soft small", Setting);
        for (int i = 0; i < Curves.Count; i++)
        {
            DrawCurve(svg, Curves[i], Colors[i % Colors.Length], At, up);
        }

        return svg.ToImage(Width, bottom + 50, $"{Title}. {Subtitle}");
    }

    private static void DrawCurve(Svg svg, Curve curve, string color, Func<double, double> at, Scale up)
    {
        string points = string.Join(' ', curve.Points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{at(point.Setting):0.#},{up.At(point.Value):0.#}")));
        svg.Add("polyline", $"line {color}{(curve.IsDashed ? " dashed" : string.Empty)}", ("points", points));
        foreach (CurvePoint point in curve.Points)
        {
            double x = at(point.Setting);
            svg.Add("line", color, ("x1", x), ("y1", up.At(point.Least)), ("x2", x), ("y2", up.At(point.Most)));
            svg.Add("circle", color, ("cx", x), ("cy", up.At(point.Value)), ("r", 3.5));
        }
    }

    private double Place(double setting, double[] settings, double start, double end)
    {
        double On(double value) => IsDoubling ? Math.Log2(Math.Max(value, 1)) : value;
        double range = On(settings[^1]) - On(settings[0]);
        return range == 0 ? (start + end) / 2 : start + ((end - start) * (On(setting) - On(settings[0])) / range);
    }
}
