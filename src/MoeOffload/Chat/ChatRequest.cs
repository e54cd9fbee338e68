using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Inference.Schemas;
using MoeOffload.Native;

namespace MoeOffload.Chat;

/// <summary>Represents a chat as the JSON that the native library renders.</summary>
/// <param name="ForPrompt">The request for rendering the prompt.</param>
/// <param name="ForGrammar">The request for creating the grammar; the same as <paramref name="ForPrompt"/> if there is no difference.</param>
/// <remarks>
/// llama.cpp converts the schemas of the tools when it creates the grammar, which takes longer than anything else. A request that is only
/// for the prompt allows no calls, so that the schemas are converted once.
/// </remarks>
internal sealed record ChatRequest(byte[] ForPrompt, byte[] ForGrammar)
{
    /// <summary>Creates a request. Schemas are not converted, so some errors in them are found only by <see cref="CheckSchemas"/>.</summary>
    /// <exception cref="ArgumentException">A message, tool or schema is not valid.</exception>
    public static ChatRequest Make(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        CheckCount(messages);
        Tool[] tools = [.. options.Tools.Select(Read)];
        Tool[] callable = options.ToolChoice == ToolChoice.None
            ? tools
            : [.. tools.Where(tool => options.ToolChoice.ToolName is not { } name || tool.Definition.Name == name).Select(tool => tool with { Shown = tool.Enforced })];
        if (callable.SequenceEqual(tools))
        {
            byte[] request = Write(messages, options, tools, options.ToolChoice);
            return new ChatRequest(request, request);
        }

        return new ChatRequest(Write(messages, options, tools, ToolChoice.None), Write(messages, options, callable, options.ToolChoice));
    }

    /// <summary>Converts the schemas one by one, to find the one that llama.cpp could not convert.</summary>
    /// <exception cref="ArgumentException">A schema cannot be converted. The message names it and the reason.</exception>
    public static void CheckSchemas(ChatOptions options)
    {
        _ = options.ResponseSchema?.ToGrammar();
        foreach (Tool tool in options.Tools.Select(Read))
        {
            _ = NativeChat.ToGrammar(tool.Enforced.ToJsonString(), Describe(tool.Definition));
        }
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

    private static string Describe(ToolDefinition tool) => $"The parameters of the tool '{tool.Name}'";

    private static Tool Read(ToolDefinition definition)
    {
        string what = Describe(definition);
        JsonObject shown = SchemaText.Parse(definition.Parameters, what);
        return new Tool(definition, shown, JsonSchemaReader.Loosely(shown, what));
    }

    private static byte[] Write(IReadOnlyList<ChatMessage> messages, ChatOptions options, Tool[] tools, ToolChoice choice)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            WriteMessages(json, messages);
            if (tools.Length > 0)
            {
                WriteTools(json, tools);
            }

            WriteOptions(json, options, choice);
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
        json.WriteString("content", message.Content);
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

    private static void WriteTools(Utf8JsonWriter json, Tool[] tools)
    {
        json.WriteStartArray("tools");
        foreach (Tool tool in tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Definition.Name);
            json.WriteString("description", tool.Definition.Description);
            json.WritePropertyName("parameters");
            tool.Shown.WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteOptions(Utf8JsonWriter json, ChatOptions options, ToolChoice choice)
    {
        json.WriteString("tool_choice", choice.Kind);
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

    /// <summary>Represents a tool and its schemas: the one that the model sees, and the one that the grammar enforces.</summary>
    private sealed record Tool(ToolDefinition Definition, JsonNode Shown, JsonNode Enforced);
}
