using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace MoeOffload.Server.Http;

/// <summary>Writes an answer as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).</summary>
internal sealed class SseWriter(ApiRequest request) : ResponseStream(request, "text/event-stream; charset=utf-8")
{
    // Only these end a line in the format. Other line separators of Unicode are part of the text.
    private static readonly string[] s_lineEnds = ["\r\n", "\n", "\r"];

    /// <summary>Sends a value as the data of an event.</summary>
    /// <param name="value">The value.</param>
    /// <param name="type">The type information of the value.</param>
    /// <param name="name">The event's name; null for none.</param>
    public Task SendAsync<T>(T value, JsonTypeInfo<T> type, string? name = null)
    {
        Begin(name);
        Writer.Write("data: "u8);
        WriteJson(value, type);
        Writer.Write("\n\n"u8);
        return SendAsync();
    }

    /// <summary>Sends a text as the data of an event, with one data field for each line.</summary>
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

    /// <summary>Sends the end of a stream of OpenAI's API.</summary>
    public Task SendDoneAsync() => SendTextAsync("[DONE]");

    /// <summary>Sends a comment, which clients ignore, to keep the connection alive.</summary>
    /// <param name="text">A single line.</param>
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

    /// <inheritdoc/>
    protected override Task SendUsualSignAsync() => CommentAsync("keep-alive");

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
