using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>Writes comments as C# XML documentation.</summary>
internal static class XmlDoc
{
    public static void Write(CodeWriter code, CDoc doc)
    {
        Element(code, "summary", doc.Summary);
        Element(code, "returns", doc.Returns);
    }

    public static void Element(CodeWriter code, string name, string text, string attributes = "")
    {
        if (text.Length == 0)
        {
            return;
        }

        string[] lines = Escape(text).Split('\n');
        if (lines.Length == 1)
        {
            code.Line($"/// <{name}{attributes}>{lines[0].Trim()}</{name}>");
            return;
        }

        code.Line($"/// <{name}{attributes}>");
        foreach (string line in lines)
        {
            code.Line($"/// {line}".TrimEnd());
        }

        code.Line($"/// </{name}>");
    }

    public static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);
}
