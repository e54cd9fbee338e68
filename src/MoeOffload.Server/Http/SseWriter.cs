using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace MoeOffload.Server.Http;

/// <summary>Writes an answer as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).</summary>
internal sealed class SseWriter(ApiRequest request) : ResponseStream(request, "text/event-stream; charset=utf-8")
{
    // Those of the format, and no others: what else ends lines in Unicode is part of the text.
    private static readonly string[] s_lineEnds = ["\r\n", "\n", "\r"];

    /// <summary>Sends a value as the data of an event.</summary>
    /// <param name="value">The value.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="name">The event's name; null for none.</param>
    public Task SendAsync<T>(T value, JsonTypeInfo<T> type, string? name = null)
    {
        Begin(name);
        Writer.Write("data: "u8);
        WriteJson(value, type);
        Writer.Write("\n\n"u8);
        return SendAsync();
    }

    /// <summary>Sends a text as the data of an event; each of its lines becomes one of the data.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The event's name; null for none.</param>
    public Task SendTextAsync(string text, string? name = null)
    {
        Begin(name);
        foreach (string line in text.Split(s_lineEnds, StringSplitOptions.None))
        {
            Writer.Write("data: "u8);
            Writer.Write(Encoding.UTF8.GetBytes(line));
            Writer.Write("\n"u8);
        }

        Writer.Write("\n"u8);
        return SendAsync();
    }

    /// <summary>Sends what ends a stream of OpenAI's.</summary>
    public Task SendDoneAsync() => SendTextAsync("[DONE]");

    /// <summary>Sends a comment, which clients pass over, and which keeps the connection from looking dead.</summary>
    /// <param name="text">One line.</param>
    public Task CommentAsync(string text)
    {
        Prepare();
        Writer.Write(": "u8);
        Writer.Write(Encoding.UTF8.GetBytes(text.ReplaceLineEndings(" ")));
        Writer.Write("\n\n"u8);
        return SendAsync();
    }

    /// <inheritdoc/>
    public override Task ReportAsync(ModelStatus status) => CommentAsync(
        string.Create(CultureInfo.InvariantCulture, $"loading {status.Entry.Name} {(int)(status.Progress * 100)}%"));

    /// <inheritdoc/>
    public override Task FailAsync(byte[] error, ErrorFormat format)
    {
        Begin(format.EventName);
        Writer.Write("data: "u8);
        Writer.Write(error);
        Writer.Write("\n\n"u8);
        return SendAsync();
    }

    private void Begin(string? name)
    {
        Prepare();
        if (name is not null)
        {
            Writer.Write("event: "u8);
            Writer.Write(Encoding.UTF8.GetBytes(name));
            Writer.Write("\n"u8);
        }
    }
}
