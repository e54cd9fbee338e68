using System.Globalization;
using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Parses the JSON of schemas within limits.</summary>
internal static class SchemaText
{
    private const int MaxLength = 1 << 18;

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
            CheckTexts(root);
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

    private static void CheckTexts(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _ = value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    CheckTexts(item);
                }

                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    _ = property.Name;
                    CheckTexts(property.Value);
                }

                break;
            default:
                break;
        }
    }
}
