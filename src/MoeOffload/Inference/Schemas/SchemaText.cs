using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Inference.Schemas;

/// <summary>Parses the JSON of schemas, within the limits of the recursion in llama.cpp's converter.</summary>
internal static class SchemaText
{
    private const int MaxLength = 1 << 18;
    private const int MaxNameLength = 256;

    /// <summary>Parses the JSON of a schema.</summary>
    /// <exception cref="ArgumentException">
    /// The text is not a JSON object, is too long, is nested too deeply, or contains a name that is too long.
    /// </exception>
    public static JsonObject Parse(string json, string what)
    {
        if (json.Length > MaxLength)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what} has {json.Length} characters; at most {MaxLength} are allowed."));
        }

        try
        {
            JsonNode? node = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            JsonObject root = node as JsonObject ?? throw new ArgumentException($"{what} is not a JSON object.");
            CheckNames(root, what);
            return root;
        }
        catch (JsonException error)
        {
            throw new ArgumentException($"{what} is not valid JSON: {error.Message}", error);
        }
    }

    // The converter turns them into rule names with a regular expression that recurses for each character.
    private static void CheckNames(JsonNode? node, string what)
    {
        foreach ((string name, JsonNode? part) in node as JsonObject ?? [])
        {
            if (name.Length > MaxNameLength)
            {
                throw new ArgumentException(string.Create(
                    CultureInfo.InvariantCulture, $"{what} has a name of {name.Length} characters, '{name.AsSpan(0, 32)}…'; at most {MaxNameLength} are allowed."));
            }

            CheckNames(part, what);
        }

        foreach (JsonNode? part in node as JsonArray ?? [])
        {
            CheckNames(part, what);
        }
    }
}
