using System.Text.Json;

namespace MoeOffload.Server.Http;

/// <summary>Parses the JSON of a client.</summary>
internal static class JsonBody
{
    private const int DeepestNesting = 64;

    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = DeepestNesting, AllowDuplicateProperties = false };

    /// <summary>Parses JSON and checks that all its strings are valid.</summary>
    /// <param name="utf8">The JSON, which must not change while the document is used.</param>
    /// <exception cref="ApiException">
    /// The JSON is not valid, is nested too deeply, or contains a duplicate property or a string that is not valid Unicode.
    /// </exception>
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

    // A document reports such a text only when it is read.
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
                400, "invalid_request_error", "invalid_unicode", "The body contains a string that is not valid Unicode: an unpaired surrogate, or bytes that are not UTF-8.", null, error);
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
