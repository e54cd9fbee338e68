using System.Globalization;
using System.Text;

namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Writes the elements of an SVG image. The same elements result in the same bytes on every machine.</summary>
internal sealed class Svg
{
    // Colors are set by class, so that plots work on light and dark backgrounds. The widths of texts are estimated, because no font is available.
    private const string Style = """
        <style>
        .plot { font: 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
        .plot text { fill: #1f2328 } .plot .soft { fill: #59636e } .plot .title { font-size: 15px; font-weight: 600 } .plot .small { font-size: 12px }
        .plot .surface { fill: #ffffff } .plot .grid { stroke: #d8dee4 } .plot .axis { stroke: #8c959f } .plot .whisker { stroke: #1f2328 }
        .plot .a { fill: #2a6fd6; stroke: #2a6fd6 } .plot .b { fill: #d8652a; stroke: #d8652a } .plot .c { fill: #2c8a57; stroke: #2c8a57 } .plot .d { fill: #8250b8; stroke: #8250b8 }
        .plot .line { fill: none; stroke-width: 2 } .plot .bar { stroke: none } .plot .dashed { stroke-dasharray: 5 4 }
        @media (prefers-color-scheme: dark) {
        .plot text { fill: #e6edf3 } .plot .soft { fill: #9198a1 } .plot .surface { fill: #0d1117 } .plot .grid { stroke: #2b323b } .plot .axis { stroke: #656c76 } .plot .whisker { stroke: #e6edf3 }
        .plot .a { fill: #5b9bf0; stroke: #5b9bf0 } .plot .b { fill: #ec8450; stroke: #ec8450 } .plot .c { fill: #4fb37c; stroke: #4fb37c } .plot .d { fill: #b08be0; stroke: #b08be0 }
        .plot .line { fill: none } .plot .bar { stroke: none }
        }
        </style>
        """;

    private readonly StringBuilder _text = new();

    /// <summary>Adds an empty element.</summary>
    /// <param name="name">The name of the element.</param>
    /// <param name="style">The CSS classes.</param>
    /// <param name="attributes">The names and values of the attributes. Numbers are rounded to one decimal.</param>
    public void Add(string name, string style, params (string Name, object Value)[] attributes)
    {
        _text.Append('<').Append(name).Append(" class=\"").Append(style).Append('"');
        AddAttributes(attributes);
        _text.Append("/>\n");
    }

    /// <summary>Adds a text.</summary>
    /// <param name="x">The horizontal position of the start, the middle or the end, depending on the anchor.</param>
    /// <param name="y">The vertical position of the baseline.</param>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    /// <param name="style">The CSS classes.</param>
    /// <param name="text">The text.</param>
    public void AddText(double x, double y, string anchor, string style, string text)
    {
        _text.Append("<text class=\"").Append(style).Append('"');
        AddAttributes(("x", x), ("y", y), ("text-anchor", anchor));
        _text.Append('>').Append(Xml.Escape(text)).Append("</text>\n");
    }

    /// <summary>Returns the image with all elements that were added.</summary>
    /// <param name="width">The width in pixels.</param>
    /// <param name="height">The height in pixels.</param>
    /// <param name="label">A description of the image for screen readers.</param>
    public string ToImage(double width, double height, string label) =>
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {Number(width)} {Number(height)}\" width=\"{Number(width)}\" height=\"{Number(height)}\" role=\"img\">\n"
        + $"<title>{Xml.Escape(label)}</title>\n{Style.ReplaceLineEndings("\n")}\n"
        + $"<rect class=\"surface\" width=\"{Number(width)}\" height=\"{Number(height)}\"/>\n{_text}</svg>\n";

    /// <summary>Estimates the width of a text, in pixels.</summary>
    public static double WidthOf(string text) => text.Length * 7.2;

    private void AddAttributes(params (string Name, object Value)[] attributes)
    {
        foreach ((string name, object value) in attributes)
        {
            string text = value is double number ? Number(number) : Xml.Escape(string.Create(CultureInfo.InvariantCulture, $"{value}"));
            _text.Append(' ').Append(name).Append("=\"").Append(text).Append('"');
        }
    }

    private static string Number(double value)
    {
        string text = value.ToString("0.#", CultureInfo.InvariantCulture);
        return text == "-0" ? "0" : text;
    }
}
