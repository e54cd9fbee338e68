using System.Text.Json;
using MoeOffload.Chat;

namespace MoeOffload.Games.Brains;

/// <summary>Writes a request of OpenAI's API for chats.</summary>
internal static class CompletionRequest
{
    /// <summary>Returns a request as UTF-8.</summary>
    public static byte[] Write(RemoteBrainOptions brain, IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("model", brain.Model);
            json.WriteBoolean("stream", true);
            json.WriteStartObject("stream_options");
            json.WriteBoolean("include_usage", true);
            json.WriteEndObject();
            json.WriteStartArray("messages");
            foreach (ChatMessage message in messages)
            {
                Write(json, message);
            }

            json.WriteEndArray();
            if (options.MaxTokens is { } most)
            {
                json.WriteNumber("max_tokens", most);
            }

            WriteSampling(json, options.Sampling ?? new SamplingOptions(), brain.SendsAllSamplers);
            if (options.Tools.Count > 0)
            {
                WriteTools(json, options);
            }

            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void Write(Utf8JsonWriter json, ChatMessage message)
    {
        json.WriteStartObject();
        json.WriteString("role", message.Role switch
        {
            ChatRole.User => "user",
            ChatRole.Assistant => "assistant",
            ChatRole.Tool => "tool",
            _ => "system",
        });
        json.WriteString("content", message.Content);
        if (message.ToolCallId is { } id)
        {
            json.WriteString("tool_call_id", id);
        }

        if (message.ToolCalls.Count > 0)
        {
            json.WriteStartArray("tool_calls");
            foreach (ToolCall call in message.ToolCalls)
            {
                json.WriteStartObject();
                json.WriteString("id", call.Id);
                json.WriteString("type", "function");
                json.WriteStartObject("function");
                json.WriteString("name", call.Name);
                json.WriteString("arguments", call.Arguments);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteSampling(Utf8JsonWriter json, SamplingOptions sampling, bool writesAll)
    {
        json.WriteNumber("temperature", sampling.Temperature);
        json.WriteNumber("top_p", sampling.TopP);
        if (sampling.Seed is { } seed)
        {
            json.WriteNumber("seed", seed);
        }

        if (writesAll)
        {
            json.WriteNumber("top_k", sampling.TopK);
            json.WriteNumber("min_p", sampling.MinP);
            json.WriteNumber("repeat_penalty", sampling.Penalties?.Repeat ?? 1);
        }
    }

    private static void WriteTools(Utf8JsonWriter json, ChatOptions options)
    {
        json.WriteStartArray("tools");
        foreach (ToolDefinition tool in options.Tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Name);
            json.WriteString("description", tool.Description);
            json.WritePropertyName("parameters");
            json.WriteRawValue(tool.Parameters);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("parallel_tool_calls", options.ParallelToolCalls ?? true);
        if (options.ToolChoice.ToolName is { } name)
        {
            json.WriteStartObject("tool_choice");
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", name);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("tool_choice", options.ToolChoice == ToolChoice.None ? "none" : options.ToolChoice == ToolChoice.Required ? "required" : "auto");
        }
    }
}
