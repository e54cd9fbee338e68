using System.Text;

namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Escapes texts for XML and HTML.</summary>
internal static class Xml
{
    /// <summary>Escapes a text for use in an element or a quoted attribute, and removes characters that are not valid in XML.</summary>
    public static string Escape(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (char character in text)
        {
            _ = character switch
            {
                '&' => result.Append("&amp;"),
                '<' => result.Append("&lt;"),
                '>' => result.Append("&gt;"),
                '"' => result.Append("&quot;"),
                '\'' => result.Append("&#39;"),
                < ' ' and not '\n' and not '\t' => result.Append('\uFFFD'),
                _ => result.Append(character),
            };
        }

        return result.ToString();
    }
}
