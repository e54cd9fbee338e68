using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Inference.Schemas;
using MoeOffload.Schemas;

namespace MoeOffload.Chat;

/// <summary>Represents a chat as the JSON that the native library renders.</summary>
/// <remarks>
/// The schemas of the tools that the model sees are those of the caller. For the grammar, they are placeholders of ours. In most formats, the
/// arguments of a call are one JSON object; in those that write each argument in its own way, each has a placeholder.
/// </remarks>
internal sealed class ChatRequest
{
    private const string PreserveReasoning = "preserve_reasoning";

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
    /// <param name="messages">The messages.</param>
    /// <param name="options">The options.</param>
    /// <param name="canReason">Whether the template supports reasoning. If it does not, reasoning is off, as in llama.cpp's server.</param>
    /// <exception cref="ArgumentException">A message or tool is not valid.</exception>
    public static ChatRequest Make(IReadOnlyList<ChatMessage> messages, ChatOptions options, bool canReason = true)
    {
        CheckCount(messages);
        var limits = ConversionLimits.OfTools(options.Tools.Count);
        return new ChatRequest(messages, canReason ? options : options with { Reasoning = false }, [.. options.Tools.Select((tool, index) => new ToolSchema(tool, index, limits))]);
    }

    /// <summary>Returns the same request with an answer that is free and not a call, whose reasoning is separated from the content.</summary>
    public ChatRequest WithFreeAnswer() =>
        new(_messages, _options with { ResponseSchema = null, ReasoningFormat = ReasoningFormat.Separate, ToolChoice = ToolChoice.None }, _tools);

    /// <summary>Returns a request that shows an answer.</summary>
    public ChatRequest Showing(ChatMessage answer) => new(
        [ChatMessage.User("test"), answer], new ChatOptions { Reasoning = _options.Reasoning, TemplateArguments = _options.TemplateArguments }, []);

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

    /// <summary>Creates the grammar of a call as a JSON object with the name and the arguments.</summary>
    public static string ToCallGrammar(IReadOnlyList<ToolDefinition> tools)
    {
        JsonNode[] calls =
        [
            .. tools.Select(tool => new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject { ["name"] = new JsonObject { ["const"] = tool.Name }, ["arguments"] = JsonNode.Parse(tool.Parameters) },
                ["required"] = new JsonArray("name", "arguments"),
                ["additionalProperties"] = false,
            }),
        ];
        return JsonSchema.ParseLenient(new JsonObject { ["anyOf"] = new JsonArray(calls) }.ToJsonString()).ToGrammar();
    }

    /// <summary>Checks that the messages can be rendered, and that the last one can be continued if the options say so.</summary>
    /// <exception cref="ArgumentException">There are no messages, or the last one cannot be continued.</exception>
    public static void CheckMessages(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        CheckCount(messages);
        for (int i = 0; i < messages.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(messages[i], nameof(messages));
        }

        if (options.ContinueLastMessage && messages[^1] is not { Role: ChatRole.Assistant, ToolCalls.Count: 0 })
        {
            throw new ArgumentException(
                "ContinueLastMessage is set, but the last message is not from the assistant, or it calls tools. Add the beginning of the answer as an assistant message, or set ContinueLastMessage to false.",
                nameof(messages));
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
            WriteMessage(json, messages[i]);
        }

        json.WriteEndArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, ChatMessage message)
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
                WriteCall(json, call);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, ToolCall call)
    {
        json.WriteStartObject();
        json.WriteString("type", "function");
        json.WriteString("id", call.Id);
        json.WriteStartObject("function");
        json.WriteString("name", call.Name);
        json.WriteString("arguments", ToolArguments.ToObject(call.Arguments));
        json.WriteEndObject();
        json.WriteEndObject();
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

        json.WriteStartObject("template_arguments");
        if (!options.TemplateArguments.ContainsKey(PreserveReasoning))
        {
            // As in llama.cpp's server, templates that can show earlier reasoning to the model do so.
            json.WriteBoolean(PreserveReasoning, true);
        }

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
