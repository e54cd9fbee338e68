using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads the input of <c>/v1/responses</c>: messages, tool calls, their results, and reasoning, each of which is an item.</summary>
/// <param name="store">The stored responses.</param>
/// <param name="attachments">Receives the parts that are not text.</param>
internal sealed class ResponseInput(ResponseStore store, Attachments attachments)
{
    private const string CallSuffix = "_call";
    private const string OutputSuffix = "_call_output";

    private readonly MessageReader _messages = new(attachments);
    private string? _reasoning;

    /// <summary>Reads the messages, without the instructions.</summary>
    /// <exception cref="ApiException">An item is malformed, or refers to one that is not stored.</exception>
    public IReadOnlyList<ChatMessage> Read(JsonFields body)
    {
        if (body.Text("previous_response_id") is { } previous)
        {
            StoredResponse stored = store.Get(previous, "previous_response_id");
            foreach (ChatMessage message in stored.Input)
            {
                _messages.Add(attachments.Take(message));
            }

            foreach (OutputItem item in stored.Body.Output)
            {
                Add(item);
            }
        }

        JsonElement input = body.Any("input") ?? throw body.Missing("input");
        if (input.ValueKind == JsonValueKind.String)
        {
            _messages.Add(ChatMessage.User(JsonFields.TextOf(input, "input")));
        }
        else
        {
            foreach (JsonFields item in body.Objects("input"))
            {
                Add(item);
            }
        }

        return _messages.End("input");
    }

    private void Add(JsonFields item)
    {
        item.Know("id", "status", "phase", "created_by");
        string type = item.Text("type") ?? "message";
        switch (type)
        {
            case "message":
                AddMessage(item);
                break;
            case "item_reference":
                Add(store.GetItem(item.RequiredText("id"), item.PathOf("id")));
                break;
            case "function_call":
                item.Know("namespace");
                AddCall(new ToolCall { Id = item.RequiredText("call_id"), Name = item.RequiredText("name"), Arguments = MessageReader.ReadArguments(item, "arguments") });
                break;
            case "custom_tool_call":
                AddCall(CustomTools.ToCall(item.RequiredText("call_id"), item.RequiredText("name"), item.Text("input") ?? string.Empty));
                break;
            case "reasoning":
                _reasoning = ReadReasoning(item);
                break;
            case var call when call.EndsWith(OutputSuffix, StringComparison.Ordinal):
                AddResult(item);
                break;
            case var call when call.EndsWith(CallSuffix, StringComparison.Ordinal) && item.Has("call_id"):
                AddCall(ReadOtherCall(item, call[..^CallSuffix.Length]));
                break;
            default:
                // The calls of tools that OpenAI runs have no result of their own: the answer that follows has it.
                item.LeaveOut();
                break;
        }
    }

    private void Add(OutputItem item)
    {
        switch (item.Type)
        {
            case "message":
                _messages.Add(ChatMessage.Assistant(string.Concat(item.Content!.Select(part => part.Text))) with { ReasoningContent = TakeReasoning() });
                break;
            case "function_call":
                AddCall(new ToolCall { Id = item.CallId!, Name = item.Name!, Arguments = item.Arguments! });
                break;
            case "custom_tool_call":
                AddCall(CustomTools.ToCall(item.CallId!, item.Name!, item.Input!));
                break;
            default:
                _reasoning = string.Concat(item.Content!.Select(part => part.Text));
                break;
        }
    }

    private void AddMessage(JsonFields item)
    {
        ChatRole role = item.RequiredText("role") switch
        {
            "system" => ChatRole.System,
            "developer" => ChatRole.Developer,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            _ => throw ApiException.Invalid($"'{item.PathOf("role")}' must be one of system, developer, user, assistant.", item.PathOf("role")),
        };
        string content = _messages.ReadContent(item, "content", role == ChatRole.User) ?? throw item.Missing("content");
        _messages.Add(new ChatMessage { Role = role, Content = content, ReasoningContent = role == ChatRole.Assistant ? TakeReasoning() : null });
    }

    // In this API, tool calls are separate items. Templates expect them in the preceding message.
    private void AddCall(ToolCall call) => _messages.Add(call, TakeReasoning());

    private void AddResult(JsonFields item)
    {
        string id = item.RequiredText("call_id");
        item.Know("name", "max_output_length");
        string result = item.Any("output") switch
        {
            null => string.Empty,
            { ValueKind: JsonValueKind.String or JsonValueKind.Array } value when IsContent(value) => _messages.ReadContent(item, "output", isOfUser: false)!,
            { } value => value.GetRawText(),
        };
        _messages.Add(new ChatMessage { Role = ChatRole.Tool, Content = result, ToolCallId = id, ToolName = _messages.ToolNameOf(id) });
    }

    // The results of a shell, for example, are lists of other objects.
    private static bool IsContent(JsonElement value) => value.ValueKind == JsonValueKind.String || value.EnumerateArray().All(
        part => part.ValueKind == JsonValueKind.String || (part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String));

    private static ToolCall ReadOtherCall(JsonFields item, string kind)
    {
        string arguments = item.Has("arguments") ? MessageReader.ReadArguments(item, "arguments")
            : item.Has("action") ? MessageReader.ReadArguments(item, "action")
            : item.Has("operation") ? MessageReader.ReadArguments(item, "operation")
            : MessageReader.ReadArguments(item, "input");
        return new ToolCall { Id = item.RequiredText("call_id"), Name = item.Text("name") ?? kind, Arguments = arguments };
    }

    private static string ReadReasoning(JsonFields item)
    {
        item.Ignore("encrypted_content");
        string text = string.Concat(item.Objects("content").Select(part => Text(part)));
        string summary = string.Join("\n\n", item.Objects("summary").Select(part => Text(part)));
        return text.Length > 0 ? text : summary;

        static string Text(JsonFields part)
        {
            part.Know("type");
            return part.RequiredText("text");
        }
    }

    private string? TakeReasoning()
    {
        string? taken = _reasoning is { Length: > 0 } ? _reasoning : null;
        _reasoning = null;
        return taken;
    }
}
