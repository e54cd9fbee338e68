using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Inference.Schemas;

/// <summary>Reads the JSON of schemas, within what the recursion of llama.cpp's converter can take.</summary>
internal static class SchemaText
{
    private const int MaxLength = 1 << 18;
    private const int MaxNameLength = 256;

    /// <summary>Reads a schema's JSON.</summary>
    /// <exception cref="ArgumentException">It is no JSON object, too long, nested too deeply, or has too long names.</exception>
    public static JsonObject Parse(string json, string what)
    {
        if (json.Length > MaxLength)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what} has {json.Length} characters; {MaxLength} are allowed."));
        }

        try
        {
            JsonNode? node = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            JsonObject root = node as JsonObject ?? throw new ArgumentException($"{what} is no JSON object.");
            CheckNames(root, what);
            return root;
        }
        catch (JsonException error)
        {
            throw new ArgumentException($"{what} is no JSON: {error.Message}", error);
        }
    }

    // The converter makes rules' names of them, by a regular expression that recurses for each character.
    private static void CheckNames(JsonNode? node, string what)
    {
        foreach ((string name, JsonNode? part) in node as JsonObject ?? [])
        {
            if (name.Length > MaxNameLength)
            {
                throw new ArgumentException(string.Create(
                    CultureInfo.InvariantCulture, $"{what} has a name of {name.Length} characters, '{name.AsSpan(0, 32)}…'; {MaxNameLength} are allowed."));
            }

            CheckNames(part, what);
        }

        foreach (JsonNode? part in node as JsonArray ?? [])
        {
            CheckNames(part, what);
        }
    }
}
