using System.Text.Json;

namespace MoeOffload.Server.Http;

/// <summary>Parses JSON that a client has sent.</summary>
internal static class JsonBody
{
    private const int DeepestNesting = 64;

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = DeepestNesting, AllowDuplicateProperties = false };

    /// <summary>Parses JSON, all texts of which can be read.</summary>
    /// <param name="utf8">The JSON; it must stay as it is for as long as the document is used.</param>
    /// <exception cref="ApiException">It is not valid JSON, nests too deeply, names a property twice, or has a text that is not valid Unicode.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            CheckTexts(utf8.Span);
            return JsonDocument.Parse(utf8, s_options);
        }
        catch (JsonException error)
        {
            throw new ApiException(400, "invalid_request_error", "invalid_json", $"The body is not valid JSON: {error.Message}", null, error);
        }
    }

    // A document finds out only when such a text is read, wherever that is.
    private static void CheckTexts(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = DeepestNesting });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String)
                {
                    CheckText(reader);
                }
            }
        }
        catch (InvalidOperationException error)
        {
            throw new ApiException(
                400, "invalid_request_error", "invalid_unicode", "The body has a text that is not valid Unicode: half of a surrogate pair, or bytes that are not UTF-8.", null, error);
        }
    }

    private static void CheckText(Utf8JsonReader reader)
    {
        if (reader.ValueIsEscaped)
        {
            _ = reader.GetString();
        }
        else if (!System.Text.Unicode.Utf8.IsValid(reader.ValueSpan))
        {
            throw new InvalidOperationException("The bytes are not valid UTF-8.");
        }
    }
}
