using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Chat;

/// <summary>Makes objects of the arguments of earlier calls, which templates read. An answer that was cut off has cut arguments.</summary>
internal static class ToolArguments
{
    private const string Name = "arguments";

    /// <summary>Returns arguments as a JSON object: no arguments for an empty text or null, and one argument with everything for other texts.</summary>
    public static string ToObject(string arguments)
    {
        if (string.IsNullOrWhiteSpace(arguments))
        {
            return "{}";
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(arguments);
            JsonElement value = document.RootElement;
            return value.ValueKind switch
            {
                JsonValueKind.Object => arguments,
                JsonValueKind.Null => "{}",
                JsonValueKind.String when IsObject(value.GetString()!) => value.GetString()!,
                _ => new JsonObject { [Name] = JsonNode.Parse(arguments) }.ToJsonString(),
            };
        }
        catch (JsonException)
        {
            return new JsonObject { [Name] = arguments }.ToJsonString();
        }
    }

    // Some clients serialize the arguments twice.
    private static bool IsObject(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
