using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Inference.Schemas;
using MoeOffload.Native;
using MoeOffload.Schemas;

namespace MoeOffload.Chat;

/// <summary>Represents a chat as the JSON that the native library renders.</summary>
/// <param name="ForPrompt">The request for rendering the prompt.</param>
/// <param name="ForGrammar">The request for creating the grammar; the same as <paramref name="ForPrompt"/> if there is no difference.</param>
/// <param name="ResponseSchema">The schema of the answer, or null.</param>
/// <param name="Tools">The tools, each with the schema of its parameters as it is enforced.</param>
internal sealed record ChatRequest(
    byte[] ForPrompt, byte[] ForGrammar, JsonSchema? ResponseSchema, IReadOnlyList<(ToolDefinition Tool, JsonNode Schema)> Tools)
{
    /// <summary>Creates a request. Its schemas are not converted yet: rendering does that.</summary>
    /// <exception cref="ArgumentException">A message, tool or schema is not valid.</exception>
    public static ChatRequest Make(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        CheckCount(messages);
        (JsonNode Shown, JsonNode Enforced)[] tools = [.. options.Tools.Select(Parameters)];
        byte[] prompt = Write(messages, options, options.Tools, [.. tools.Select(tool => tool.Shown)]);
        (ToolDefinition Tool, JsonNode Schema)[] callable =
        [
            .. options.Tools.Zip(tools, (tool, schemas) => (Tool: tool, Schema: schemas.Enforced))
                .Where(tool => options.ToolChoice.ToolName is not { } name || tool.Tool.Name == name),
        ];
        byte[] grammar = Write(messages, options, [.. callable.Select(tool => tool.Tool)], [.. callable.Select(tool => tool.Schema)]);
        return new ChatRequest(
            prompt,
            grammar.AsSpan().SequenceEqual(prompt) ? prompt : grammar,
            options.ResponseSchema,
            [.. options.Tools.Zip(tools, (tool, schemas) => (tool, schemas.Enforced))]);
    }

    /// <summary>Checks that there is at least one message.</summary>
    /// <exception cref="ArgumentException">There are no messages.</exception>
    public static void CheckCount(IReadOnlyList<ChatMessage> messages)
    {
        if (messages.Count == 0)
        {
            throw new ArgumentException("The chat has no messages. Add one.", nameof(messages));
        }
    }

    /// <summary>Converts each schema, to find the one that llama.cpp's converter rejects.</summary>
    /// <exception cref="ArgumentException">A schema was rejected. The message names it.</exception>
    public void CheckSchemas()
    {
        _ = ResponseSchema?.ToGrammar();
        foreach ((ToolDefinition tool, JsonNode schema) in Tools)
        {
            _ = NativeChat.ToGrammar(schema.ToJsonString(), NameOf(tool));
        }
    }

    private static string NameOf(ToolDefinition tool) => $"The parameters of the tool '{tool.Name}'";

    private static (JsonNode Shown, JsonNode Enforced) Parameters(ToolDefinition tool)
    {
        JsonObject shown = SchemaText.Parse(tool.Parameters, NameOf(tool));
        return (shown, JsonSchemaReader.Loosely(shown, NameOf(tool)));
    }

    private static byte[] Write(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<ToolDefinition> tools, IReadOnlyList<JsonNode> parameters)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            WriteMessages(json, messages);
            if (tools.Count > 0)
            {
                WriteTools(json, tools, parameters);
            }

            WriteOptions(json, options);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteMessages(Utf8JsonWriter json, IReadOnlyList<ChatMessage> messages)
    {
        json.WriteStartArray("messages");
        for (int i = 0; i < messages.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(messages[i], nameof(messages));
            WriteMessage(json, messages[i], i);
        }

        json.WriteEndArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, ChatMessage message, int index)
    {
        json.WriteStartObject();
        json.WriteString("role", RoleName(message.Role));
        json.WriteString("content", message.Content ?? throw new ArgumentException($"The content of message {index} is null. Use an empty string."));
        if (message.ReasoningContent is { Length: > 0 } reasoning)
        {
            json.WriteString("reasoning_content", reasoning);
        }

        if (message.ToolCallId is { } id)
        {
            json.WriteString("tool_call_id", id);
        }

        if (message.ToolName is { } name)
        {
            json.WriteString("name", name);
        }

        if (message.ToolCalls.Count > 0)
        {
            json.WriteStartArray("tool_calls");
            foreach (ToolCall call in message.ToolCalls)
            {
                WriteCall(json, call, index);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, ToolCall call, int index)
    {
        CheckArguments(call, index);
        json.WriteStartObject();
        json.WriteString("type", "function");
        json.WriteString("id", call.Id);
        json.WriteStartObject("function");
        json.WriteString("name", call.Name);
        json.WriteString("arguments", call.Arguments);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    // Templates read the arguments, and a cut answer may hold cut ones.
    private static void CheckArguments(ToolCall call, int index)
    {
        try
        {
            using JsonDocument arguments = JsonDocument.Parse(call.Arguments);
            if (arguments.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ArgumentException($"The arguments of the call of '{call.Name}' in message {index} are not a JSON object.");
            }
        }
        catch (JsonException error)
        {
            throw new ArgumentException(
                $"The arguments of the call of '{call.Name}' in message {index} are not valid JSON: {error.Message} Remove the calls of an answer that was cut off.", error);
        }
    }

    private static void WriteTools(Utf8JsonWriter json, IReadOnlyList<ToolDefinition> tools, IReadOnlyList<JsonNode> parameters)
    {
        json.WriteStartArray("tools");
        for (int i = 0; i < tools.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tools[i].Name);
            json.WriteString("description", tools[i].Description);
            json.WritePropertyName("parameters");
            parameters[i].WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteOptions(Utf8JsonWriter json, ChatOptions options)
    {
        json.WriteString("tool_choice", options.ToolChoice.Kind);
        json.WriteString("reasoning_format", options.ReasoningFormat == ReasoningFormat.InContent ? "none" : "deepseek");
        json.WriteBoolean("enable_thinking", options.Reasoning);
        if (options.ParallelToolCalls is { } parallel)
        {
            json.WriteBoolean("parallel_tool_calls", parallel);
        }

        if (options.ResponseSchema is { } schema)
        {
            json.WritePropertyName("json_schema");
            json.WriteRawValue(schema.Enforced);
        }

        if (options.TemplateArguments.Count > 0)
        {
            json.WriteStartObject("template_arguments");
            foreach ((string name, JsonNode? value) in options.TemplateArguments)
            {
                json.WritePropertyName(name);
                if (value is null)
                {
                    json.WriteNullValue();
                }
                else
                {
                    value.WriteTo(json);
                }
            }

            json.WriteEndObject();
        }
    }

    private static string RoleName(ChatRole role) => role switch
    {
        ChatRole.System => "system",
        ChatRole.Developer => "developer",
        ChatRole.User => "user",
        ChatRole.Assistant => "assistant",
        ChatRole.Tool => "tool",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, "The role of a message is not valid."),
    };
}
