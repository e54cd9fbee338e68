using System.Text.Json;

namespace MoeOffload.Server.Ollama;

/// <summary>Errors as Ollama and shimmy tell of them: a text.</summary>
internal static class OllamaErrors
{
    public static ErrorFormat Format { get; } = new((error, _) => JsonSerializer.SerializeToUtf8Bytes(new OllamaError(error.Message), OllamaJson.Default.OllamaError));
}
