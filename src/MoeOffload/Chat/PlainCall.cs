using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Chat;

/// <summary>Reads a call that is the content of an answer, as a JSON object with the name of the tool and the arguments.</summary>
internal static class PlainCall
{
    /// <summary>Reads the content of an answer.</summary>
    /// <returns>The content without a call, and a list with the call in the form of llama.cpp's parser, or <see langword="null"/> if there is none.</returns>
    public static (string Content, JsonElement? Calls) Read(string content)
    {
        try
        {
            if (JsonNode.Parse(content) is JsonObject { Count: 2 } call
                && call["name"] is JsonValue name && name.TryGetValue(out string? tool)
                && call["arguments"] is JsonObject arguments)
            {
                var calls = new JsonArray(new JsonObject { ["id"] = string.Empty, ["name"] = tool, ["arguments"] = arguments.ToJsonString() });
                return (string.Empty, JsonElement.Parse(calls.ToJsonString()));
            }
        }
        catch (JsonException)
        {
            // The answer was cut off.
        }

        return (content, null);
    }
}
