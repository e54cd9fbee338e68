using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Chat;

/// <summary>Represents a chat as the JSON that the native library renders.</summary>
/// <remarks>
/// The schemas of the tools that the model sees are those of the caller. For the grammar, they are placeholders of ours. In most formats, the
/// arguments of a call are one JSON object; in those that write each argument in its own way, each has a placeholder.
/// </remarks>
internal sealed class ChatRequest
{
    private readonly IReadOnlyList<ChatMessage> _messages;
    private readonly ChatOptions _options;
    private readonly ToolSchema[] _tools;
    private readonly ToolSchema[] _callable;

    private ChatRequest(IReadOnlyList<ChatMessage> messages, ChatOptions options, ToolSchema[] tools)
    {
        _messages = messages;
        _options = options;
        _tools = tools;
        _callable = options.ToolChoice == ToolChoice.None ? [] : [.. tools.Where(tool => options.ToolChoice.ToolName is not { } name || tool.Definition.Name == name)];
    }

    /// <summary>Gets a value that indicates whether the model can call a tool, so that the request for the grammar is another one.</summary>
    public bool HasCallableTools => _callable.Length > 0;

    /// <summary>Gets the schema of the answer as JSON, or null.</summary>
    public string? AnswerSchema => _options.ResponseSchema?.ToString();

    /// <summary>Lists the forms of the arguments of calls.</summary>
    internal enum ArgumentForm
    {
        /// <summary>All are one JSON object.</summary>
        Whole,

        /// <summary>Each is written in its own way.</summary>
        ByMember,

        /// <summary>Each is written in its own way, and the template knows simple types only.</summary>
        ByPlainMember,
    }

    /// <summary>Gets a value that indicates whether the chat has tools.</summary>
    public bool HasTools => _tools.Length > 0;

    /// <summary>Creates a request.</summary>
    /// <exception cref="ArgumentException">A message or tool is not valid.</exception>
    public static ChatRequest Make(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        CheckCount(messages);
        return new ChatRequest(messages, options, [.. options.Tools.Select((tool, index) => new ToolSchema(tool, index))]);
    }

    /// <summary>Writes the request for the prompt, in which no tool is called.</summary>
    /// <param name="schemas">The schemas that take the places of placeholders.</param>
    /// <param name="isPlain">Whether the schemas of tools are part of their descriptions, because the template cannot show them.</param>
    public byte[] WriteForPrompt(EmbeddedSchemas schemas, bool isPlain = false) =>
        Write(schemas, [.. _tools.Select(tool => isPlain ? tool.Described() : tool)], tool => tool.Shown, ToolChoice.None);

    /// <summary>Writes the request for the grammar.</summary>
    /// <param name="schemas">The schemas that take the places of placeholders.</param>
    /// <param name="form">The form in which the arguments of calls have placeholders.</param>
    public byte[] WriteForGrammar(EmbeddedSchemas schemas, ArgumentForm form) =>
        Write(schemas, _callable, tool => form == ArgumentForm.Whole ? tool.Placeholder(schemas) : tool.ByMember(schemas, form == ArgumentForm.ByPlainMember), _options.ToolChoice);

    /// <summary>Checks that there is at least one message.</summary>
    /// <exception cref="ArgumentException">There are no messages.</exception>
    public static void CheckCount(IReadOnlyList<ChatMessage> messages)
    {
        if (messages.Count == 0)
        {
            throw new ArgumentException("The chat has no messages. Add one.", nameof(messages));
        }
    }

    private byte[] Write(EmbeddedSchemas schemas, ToolSchema[] tools, Func<ToolSchema, JsonNode> parameters, ToolChoice choice)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            WriteMessages(json, _messages);
            if (tools.Length > 0)
            {
                WriteTools(json, tools, parameters);
            }

            WriteOptions(json, _options, schemas, choice);
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

    private static void WriteTools(Utf8JsonWriter json, ToolSchema[] tools, Func<ToolSchema, JsonNode> parameters)
    {
        json.WriteStartArray("tools");
        foreach (ToolSchema tool in tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Definition.Name);
            json.WriteString("description", tool.Definition.Description);
            json.WritePropertyName("parameters");
            parameters(tool).WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteOptions(Utf8JsonWriter json, ChatOptions options, EmbeddedSchemas schemas, ToolChoice choice)
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
            (string rules, string root) = schema.Rules;
            schemas.AddRules(rules);
            json.WritePropertyName("json_schema");
            new JsonObject { ["const"] = schemas.Add(root) }.WriteTo(json);
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
