using System.Diagnostics;
using System.Text;
using System.Text.Json;
using MoeOffload.Chat;

namespace MoeOffload.Games.Brains;

/// <summary>Reads the server-sent events of an answer in OpenAI's API for chats.</summary>
internal sealed class CompletionReader
{
    /// <summary>The line that ends an answer.</summary>
    public const string LastLine = $"{Data} {Done}";

    private const string Data = "data:";
    private const string Done = "[DONE]";

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly StringBuilder _content = new();
    private readonly SortedDictionary<int, Call> _calls = [];
    private TimeSpan _timeToFirst;
    private ChatFinishReason? _reason;
    private GenerationStatistics? _statistics;

    /// <summary>Gets a value that indicates whether the answer is complete.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Gets a value that indicates whether the server has said why the answer ended.</summary>
    public bool HasReason => _reason is not null;

    /// <summary>Reads a line.</summary>
    /// <returns>What it adds to the answer, or <see langword="null"/> if it adds nothing.</returns>
    /// <exception cref="InferenceException">The line is not valid, or tells an error.</exception>
    public ChatUpdate? Read(string line)
    {
        if (!line.StartsWith(Data, StringComparison.Ordinal))
        {
            return null;
        }

        string data = line[Data.Length..].Trim();
        if (data == Done)
        {
            IsComplete = true;
            return null;
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(data);
            return Read(json.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InferenceException($"The server has sent an event that is not valid: {error.Message} Check that its API is that of OpenAI.", error);
        }
    }

    /// <summary>Returns the last update. An answer without a reason to end was cut off.</summary>
    public ChatUpdate Finish()
    {
        ChatFinishReason reason = _reason ?? ChatFinishReason.Length;
        return new ChatUpdate
        {
            FinishReason = reason,
            Statistics = _statistics,
            Message = ChatMessage.Assistant(_content.ToString()) with
            {
                ToolCalls = reason == ChatFinishReason.Length
                    ? []
                    : [.. _calls.Values.Select(call => new ToolCall { Id = call.Id, Name = call.Name.ToString(), Arguments = call.Arguments.ToString() })],
            },
        };
    }

    private ChatUpdate? Read(JsonElement chunk)
    {
        if (chunk.TryGetProperty("error", out JsonElement error))
        {
            throw new InferenceException($"The server ended the answer with an error: {error.GetRawText()}");
        }

        if (chunk.TryGetProperty("usage", out JsonElement usage) && usage.ValueKind == JsonValueKind.Object)
        {
            ReadUsage(usage);
        }

        if (!chunk.TryGetProperty("choices", out JsonElement choices) || choices.GetArrayLength() == 0)
        {
            return null;
        }

        JsonElement choice = choices[0];
        if (choice.TryGetProperty("finish_reason", out JsonElement reason) && reason.GetString() is { } text)
        {
            _reason = text switch
            {
                "length" => ChatFinishReason.Length,
                "tool_calls" => ChatFinishReason.ToolCalls,
                _ => ChatFinishReason.Stop,
            };
        }

        return choice.TryGetProperty("delta", out JsonElement delta) && delta.ValueKind == JsonValueKind.Object ? ReadDelta(delta) : null;
    }

    private ChatUpdate? ReadDelta(JsonElement delta)
    {
        if (delta.TryGetProperty("tool_calls", out JsonElement calls) && calls.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement call in calls.EnumerateArray())
            {
                ReadCall(call);
            }
        }

        if (!delta.TryGetProperty("content", out JsonElement content) || content.GetString() is not { Length: > 0 } text)
        {
            return null;
        }

        _timeToFirst = _content.Length == 0 ? Stopwatch.GetElapsedTime(_start) : _timeToFirst;
        _content.Append(text);
        return new ChatUpdate { Content = text };
    }

    private void ReadCall(JsonElement json)
    {
        int index = json.TryGetProperty("index", out JsonElement number) ? number.GetInt32() : 0;
        if (!_calls.TryGetValue(index, out Call? call))
        {
            _calls.Add(index, call = new Call());
        }

        if (json.TryGetProperty("id", out JsonElement id) && id.GetString() is { Length: > 0 } given)
        {
            call.Id = given;
        }

        if (json.TryGetProperty("function", out JsonElement function))
        {
            call.Name.Append(function.TryGetProperty("name", out JsonElement name) ? name.GetString() : null);
            call.Arguments.Append(function.TryGetProperty("arguments", out JsonElement arguments) ? arguments.GetString() : null);
        }
    }

    private void ReadUsage(JsonElement usage)
    {
        int generated = Count(usage, "completion_tokens");
        TimeSpan time = Stopwatch.GetElapsedTime(_start);
        _statistics = new GenerationStatistics
        {
            PromptTokens = Count(usage, "prompt_tokens"),
            CachedPromptTokens = usage.TryGetProperty("prompt_tokens_details", out JsonElement details) && details.ValueKind == JsonValueKind.Object ? Count(details, "cached_tokens") : 0,
            QueueTime = TimeSpan.Zero,
            GeneratedTokens = generated,
            DraftedTokens = 0,
            AcceptedTokens = 0,
            TimeToFirstToken = _timeToFirst,
            DecodeTime = time - _timeToFirst,
        };
    }

    private static int Count(JsonElement json, string name) => json.TryGetProperty(name, out JsonElement count) && count.ValueKind == JsonValueKind.Number ? count.GetInt32() : 0;

    private sealed class Call
    {
        public string Id { get; set; } = string.Empty;

        public StringBuilder Name { get; } = new();

        public StringBuilder Arguments { get; } = new();
    }
}
