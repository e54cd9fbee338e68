using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Compares and writes JSON values as JSON Schema defines it.</summary>
internal static class JsonValues
{
    /// <summary>Returns the kind of a value.</summary>
    public static JsonKinds KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonKinds.Null,
        JsonValueKind.True or JsonValueKind.False => JsonKinds.Boolean,
        JsonValueKind.Number => NumberOf(value).IsWhole ? JsonKinds.Integer : JsonKinds.Fraction,
        JsonValueKind.String => JsonKinds.String,
        JsonValueKind.Array => JsonKinds.Array,
        _ => JsonKinds.Object,
    };

    /// <summary>Returns the kinds of a type's name, or null if there is no type of that name.</summary>
    public static JsonKinds? KindsOf(string? type) => type switch
    {
        "null" => JsonKinds.Null,
        "boolean" => JsonKinds.Boolean,
        "integer" => JsonKinds.Integer,
        "number" => JsonKinds.Number,
        "string" => JsonKinds.String,
        "array" => JsonKinds.Array,
        "object" => JsonKinds.Object,
        _ => null,
    };

    /// <summary>Returns the exact value of a number.</summary>
    public static ExactNumber NumberOf(JsonElement value) => ExactNumber.Parse(value.GetRawText());

    /// <summary>Returns the members of an object. Of several with the same name, the last one counts.</summary>
    public static Dictionary<string, JsonElement> Members(JsonElement value)
    {
        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (JsonProperty property in value.EnumerateObject())
        {
            members[property.Name] = property.Value;
        }

        return members;
    }

    /// <summary>Determines whether two values are equal: numbers by value, and objects without regard to the order of their members.</summary>
    public static bool AreEqual(JsonElement one, JsonElement other)
    {
        if (KindOf(one) != KindOf(other))
        {
            return false;
        }

        switch (one.ValueKind)
        {
            case JsonValueKind.Number:
                return NumberOf(one) == NumberOf(other);
            case JsonValueKind.String:
                return one.GetString() == other.GetString();
            case JsonValueKind.Array:
                return one.GetArrayLength() == other.GetArrayLength() && one.EnumerateArray().Zip(other.EnumerateArray()).All(pair => AreEqual(pair.First, pair.Second));
            case JsonValueKind.Object:
                Dictionary<string, JsonElement> members = Members(one);
                Dictionary<string, JsonElement> others = Members(other);
                return members.Count == others.Count && members.All(member => others.TryGetValue(member.Key, out JsonElement it) && AreEqual(member.Value, it));
            default:
                return one.ValueKind == other.ValueKind;
        }
    }

    /// <summary>Returns a text that equal values have in common, and others do not.</summary>
    public static string KeyOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => NumberOf(value).ToString(),
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(KeyOf))}]",
        JsonValueKind.Object => $"{{{string.Join(',', Members(value).OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => $"{Write(member.Key)}:{KeyOf(member.Value)}"))}}}",
        _ => Write(value),
    };

    /// <summary>Returns the length of a string, in code points.</summary>
    public static int LengthOf(string text) => text.Length - text.Count(char.IsLowSurrogate);

    /// <summary>Returns a value as JSON without white space. Only those characters are escaped that must be.</summary>
    public static string Write(JsonElement value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return text.ToString();
    }

    /// <summary>Returns a string as JSON. Only those characters are escaped that must be.</summary>
    public static string Write(string value)
    {
        var text = new StringBuilder();
        Write(text, value);
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Write(text, value.GetString()!);
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(text, item);
                    text.Append(',');
                }

                Close(text, ']');
                break;
            case JsonValueKind.Object:
                text.Append('{');
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    Write(text, property.Name);
                    text.Append(':');
                    Write(text, property.Value);
                    text.Append(',');
                }

                Close(text, '}');
                break;
            default:
                text.Append(value.GetRawText());
                break;
        }
    }

    private static void Close(StringBuilder text, char bracket)
    {
        text.Length -= text[^1] == ',' ? 1 : 0;
        text.Append(bracket);
    }

    private static void Write(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char character in value)
        {
            _ = character switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                < ' ' or '\x7F' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => text.Append(character),
            };
        }

        text.Append('"');
    }
}
