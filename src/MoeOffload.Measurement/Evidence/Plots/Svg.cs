using System.Globalization;
using System.Text;

namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Writes the elements of an SVG image: the same elements give the same bytes on every machine.</summary>
internal sealed class Svg
{
    // Colours by class, so that a page can show plots on a light and on a dark ground. Widths of texts are estimated, as no font is at hand.
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

    /// <summary>An element with nothing in it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="style">Its classes.</param>
    /// <param name="attributes">Names and values, numbers rounded to a tenth.</param>
    public void Add(string name, string style, params (string Name, object Value)[] attributes)
    {
        _text.Append('<').Append(name).Append(" class=\"").Append(style).Append('"');
        AddAttributes(attributes);
        _text.Append("/>\n");
    }

    /// <summary>A text.</summary>
    /// <param name="x">Where it begins, ends or has its middle, as the anchor says.</param>
    /// <param name="y">Its base line.</param>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    /// <param name="style">Its classes.</param>
    /// <param name="text">The text.</param>
    public void AddText(double x, double y, string anchor, string style, string text)
    {
        _text.Append("<text class=\"").Append(style).Append('"');
        AddAttributes(("x", x), ("y", y), ("text-anchor", anchor));
        _text.Append('>').Append(Xml.Escape(text)).Append("</text>\n");
    }

    /// <summary>The image with all that was added.</summary>
    /// <param name="width">In pixels.</param>
    /// <param name="height">In pixels.</param>
    /// <param name="label">What it shows, for those who do not see it.</param>
    public string ToImage(double width, double height, string label) =>
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {Number(width)} {Number(height)}\" width=\"{Number(width)}\" height=\"{Number(height)}\" role=\"img\">\n"
        + $"<title>{Xml.Escape(label)}</title>\n{Style.ReplaceLineEndings("\n")}\n"
        + $"<rect class=\"surface\" width=\"{Number(width)}\" height=\"{Number(height)}\"/>\n{_text}</svg>\n";

    /// <summary>About how wide a text is, in pixels.</summary>
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
