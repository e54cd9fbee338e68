using System.Buffers;
using System.Text.Json.Serialization.Metadata;

namespace MoeOffload.Server.Http;

/// <summary>Writes an answer with one JSON value per line, as in Ollama's streams.</summary>
internal sealed class JsonLinesWriter(ApiRequest request) : ResponseStream(request, "application/x-ndjson")
{
    /// <summary>Sends a value as a line.</summary>
    public Task SendAsync<T>(T value, JsonTypeInfo<T> type)
    {
        Prepare();
        WriteJson(value, type);
        Writer.Write("\n"u8);
        return SendAsync();
    }

    /// <summary>Sends a space, which JSON allows before a value. The format has no comments, and clients fail on empty lines.</summary>
    public override Task ReportAsync(ModelStatus status) => SendUsualSignAsync();

    /// <inheritdoc/>
    public override Task FailAsync(byte[] error, ErrorFormat format)
    {
        Prepare();
        Writer.Write(error);
        Writer.Write("\n"u8);
        return SendAsync();
    }

    /// <inheritdoc/>
    protected override Task SendUsualSignAsync()
    {
        Prepare();
        Writer.Write(" "u8);
        return SendAsync();
    }
}
