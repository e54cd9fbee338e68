using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>
/// Maps OpenAI's custom tools, whose input is a text, to functions with one parameter, which is what chat templates know.
/// </summary>
internal static class CustomTools
{
    private const string Parameter = "input";
    private const string Parameters = """{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}""";

    /// <summary>Reads the definition of a custom tool.</summary>
    public static ToolDefinition Read(JsonFields tool)
    {
        string description = tool.Text("description") ?? string.Empty;
        if (tool.Object("format") is { } format && format.RequiredText("type") == "grammar")
        {
            // Chat templates have no place for the grammar, and its languages differ from that of llama.cpp.
            JsonFields grammar = format.Object("grammar") ?? format;
            description = $"{description}\nThe input must follow this {grammar.Text("syntax") ?? "lark"} grammar:\n{grammar.RequiredText("definition")}".TrimStart();
        }

        return new ToolDefinition { Name = tool.RequiredText("name"), Description = description, Parameters = Parameters };
    }

    /// <summary>Creates the call of a function from the input of a custom tool.</summary>
    public static ToolCall ToCall(string id, string name, string input) =>
        new() { Id = id, Name = name, Arguments = new JsonObject { [Parameter] = input }.ToJsonString() };

    /// <summary>Gets the input of a custom tool from the arguments of the function.</summary>
    public static string InputOf(string arguments)
    {
        try
        {
            return (string?)(JsonNode.Parse(arguments) as JsonObject)?[Parameter] ?? string.Empty;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The answer was cut off.
            return string.Empty;
        }
    }
}
