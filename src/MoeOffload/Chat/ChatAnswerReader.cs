using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace MoeOffload.Chat;

/// <summary>
/// Parses an answer while it is generated. llama.cpp's parser reads the whole answer each time; the result is compared with the previous
/// one, and only the difference is returned. The parser itself holds back text that it might still interpret differently.
/// </summary>
internal sealed class ChatAnswerReader(RenderedChat chat)
{
    // The templates of Mistral's models refuse ids of another form in the next request.
    private const int IdLength = 9;
    private const string IdCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private readonly List<Call> _calls = [];
    private readonly NestingCount _nesting = new();
    private byte[] _text = new byte[1024];
    private int _length;
    private string _content = string.Empty;
    private string _reasoning = string.Empty;

    /// <summary>Appends text to the answer.</summary>
    /// <param name="text">The text as UTF-8 with complete code points.</param>
    public void Append(ReadOnlySpan<byte> text)
    {
        if (_length + text.Length > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(_text.Length * 2, _length + text.Length));
        }

        _nesting.Add(text);
        text.CopyTo(_text.AsSpan(_length));
        _length += text.Length;
    }

    /// <summary>Returns what was added to the message since the previous call.</summary>
    public ChatUpdate Advance() =>
        TryRead(isPartial: true, out byte[] message) ? Update(message, isFinal: false, out _) : new ChatUpdate();

    /// <summary>Parses the whole answer.</summary>
    /// <param name="update">Receives what was added to the message since the previous call.</param>
    /// <param name="isCut"><see langword="true"/> if the answer was cut off.</param>
    /// <exception cref="FormatException">The answer does not have the format that the template requires.</exception>
    public ChatMessage Finish(out ChatUpdate update, bool isCut = false)
    {
        if (!TryRead(isCut, out byte[] message) && !TryReadWithEnd(ref message))
        {
            string text = Encoding.UTF8.GetString(_text, 0, _length);
            throw new FormatException(
                $"{Encoding.UTF8.GetString(message)}: '{(text.Length > 200 ? string.Concat(text.AsSpan(0, 200), "…") : text)}'.");
        }

        update = Update(message, isFinal: true, out ChatMessage whole);
        return whole;
    }

    private bool TryRead(bool isPartial, out byte[] message) => chat.TryRead(_text.AsMemory(0, _length), _nesting.Deepest, isPartial, out message);

    private bool TryReadWithEnd(ref byte[] message)
    {
        byte[] end = Encoding.UTF8.GetBytes(chat.EndToken);
        if (end.Length == 0 || !chat.TryRead((byte[])[.. _text.AsSpan(0, _length), .. end], _nesting.Deepest, isPartial: false, out byte[] read))
        {
            return false;
        }

        message = read;
        return true;
    }

    private ChatUpdate Update(byte[] json, bool isFinal, out ChatMessage whole)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement message = document.RootElement;
        string content = message.GetProperty("content").GetString()!;
        string reasoning = message.GetProperty("reasoning_content").GetString()!;
        if (chat.Continued is { } continued)
        {
            content = WithoutBeginning(content, continued.Content);
            reasoning = WithoutBeginning(reasoning, continued.ReasoningContent);
        }

        JsonElement calls = message.GetProperty("tool_calls");
        if (chat.HasPlainCalls)
        {
            // Whether the JSON is a call is known at its end.
            (content, JsonElement? call) = isFinal ? PlainCall.Read(content) : (string.Empty, null);
            calls = call ?? calls;
        }

        var update = new ChatUpdate
        {
            Content = Grow(ref _content, content),
            ReasoningContent = Grow(ref _reasoning, reasoning),
            ToolCalls = UpdateCalls(calls, isFinal),
        };
        whole = new ChatMessage
        {
            Role = ChatRole.Assistant,
            Content = content,
            ReasoningContent = reasoning.Length > 0 ? reasoning : null,
            ToolCalls = isFinal ? Calls(calls) : [],
        };
        return update;
    }

    // The parser also returns the beginning of the answer that was given.
    private static string WithoutBeginning(string text, string? beginning) => text[text.AsSpan().CommonPrefixLength(beginning)..];

    private List<ToolCallUpdate> UpdateCalls(JsonElement calls, bool isFinal)
    {
        List<ToolCallUpdate> updates = [];
        int count = calls.GetArrayLength();
        for (int i = 0; i < count; i++)
        {
            string id = calls[i].GetProperty("id").GetString()!;
            string arguments = calls[i].GetProperty("arguments").GetString()!;
            if (i == _calls.Count)
            {
                _calls.Add(new Call { Id = id.Length > 0 ? id : MakeId() });
            }

            // The name may be a part of a longer one until the arguments have begun.
            Call call = _calls[i];
            bool isNew = !call.IsKnown;
            if (isNew && arguments.Length < 2 && i == count - 1 && !isFinal)
            {
                continue;
            }

            string added = Grow(ref call.Arguments, arguments);
            if (isNew || added.Length > 0)
            {
                call.IsKnown = true;
                updates.Add(new ToolCallUpdate
                {
                    Index = i,
                    Id = isNew ? call.Id : null,
                    Name = isNew ? calls[i].GetProperty("name").GetString() : null,
                    Arguments = added,
                });
            }
        }

        return updates;
    }

    private ToolCall[] Calls(JsonElement calls) =>
    [
        .. calls.EnumerateArray().Select((call, i) => new ToolCall
        {
            Id = _calls[i].Id,
            Name = call.GetProperty("name").GetString()!,
            Arguments = call.GetProperty("arguments").GetString()!,
        }),
    ];

    private static string MakeId() => RandomNumberGenerator.GetString(IdCharacters, IdLength);

    private static string Grow(ref string known, string text)
    {
        if (text.Length <= known.Length || !text.StartsWith(known, StringComparison.Ordinal))
        {
            return string.Empty;
        }

        string added = text[known.Length..];
        known = text;
        return added;
    }

    private sealed class Call
    {
        public string Arguments = string.Empty;

        public required string Id { get; init; }

        public bool IsKnown { get; set; }
    }
}
