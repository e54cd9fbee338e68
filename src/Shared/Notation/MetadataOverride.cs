using System.Globalization;

namespace MoeOffload.Shared;

/// <summary>Parses values that replace those of a model's metadata, as llama.cpp writes them: <c>KEY=TYPE:VALUE</c>.</summary>
internal static class MetadataOverride
{
    /// <summary>A description of the valid values.</summary>
    public const string Allowed = "KEY=TYPE:VALUE with the type int, float, bool or str, such as tokenizer.ggml.add_bos_token=bool:false";

    /// <summary>Splits a value of the option, which can have several overrides. A comma within a text is part of it.</summary>
    /// <param name="list">The value of the option.</param>
    public static IEnumerable<string> Split(string list)
    {
        var items = new List<string>();
        foreach (string part in list.Split(','))
        {
            if (items.Count > 0 && Parse(part) is null && Parse($"{items[^1]},{part}") is not null)
            {
                items[^1] += $",{part}";
            }
            else
            {
                items.Add(part);
            }
        }

        return items;
    }

    /// <summary>Parses an override; returns null if it is not valid.</summary>
    /// <param name="text">The override.</param>
    public static (string Key, MetadataValue Value)? Parse(string text)
    {
        int end = text.IndexOf('=', StringComparison.Ordinal);
        int colon = end < 0 ? -1 : text.IndexOf(':', end);
        if (end <= 0 || colon < 0)
        {
            return null;
        }

        return ParseValue(text[(end + 1)..colon].Trim(), text[(colon + 1)..]) is { } value ? (text[..end].Trim(), value) : null;
    }

    private static MetadataValue? ParseValue(string type, string text) => type switch
    {
        "int" => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? MetadataValue.From(number) : default(MetadataValue?),
        "float" => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? MetadataValue.From(number) : default(MetadataValue?),
        "bool" => text is "true" or "false" ? MetadataValue.From(text == "true") : default(MetadataValue?),
        "str" => MetadataValue.From(text),
        _ => default(MetadataValue?),
    };
}
