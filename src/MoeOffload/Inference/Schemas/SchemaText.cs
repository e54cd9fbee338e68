using System.Globalization;
using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Parses the JSON of schemas within limits.</summary>
internal static class SchemaText
{
    private const int MaxLength = 1 << 18;

    // Each value has a location, which contains the names that lead to it.
    private const long MaxLocations = 1 << 24;
    private const int MaxDigits = 1_000;

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Parses the JSON of a schema.</summary>
    /// <exception cref="ArgumentException">
    /// The text is not a JSON object or boolean, is too long, is nested too deeply, or contains a part of a character.
    /// </exception>
    public static JsonElement Parse(string json, string what)
    {
        if (json.Length > MaxLength)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what} has {json.Length} characters; at most {MaxLength} are allowed."));
        }

        try
        {
            JsonElement root = JsonElement.Parse(json, s_options);
            long locations = 0;
            CheckTexts(root, 1, what, ref locations);
            return root.ValueKind is JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False ? root : throw new ArgumentException($"{what} is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new ArgumentException($"{what} is not valid JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new ArgumentException($"{what} has a string with an unpaired surrogate, which is a part of a character: {error.Message}", error);
        }
    }

    private static void CheckTexts(JsonElement value, int location, string what, ref long locations)
    {
        locations += location;
        if (locations > MaxLocations)
        {
            throw new ArgumentException($"{what} has long names around very many values; use shorter names.");
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _ = value.GetString();
                break;
            case JsonValueKind.Number when value.GetRawText().Length > MaxDigits:
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what} has a number with more than {MaxDigits} characters; use a shorter one."));
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    CheckTexts(item, location + 4, what, ref locations);
                }

                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    CheckTexts(property.Value, location + property.Name.Length + 1, what, ref locations);
                }

                break;
            default:
                break;
        }
    }
}
