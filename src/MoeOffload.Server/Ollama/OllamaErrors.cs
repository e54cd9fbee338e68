using System.Text.Json;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Writes errors in the format of Ollama and shimmy, a text.</summary>
internal static class OllamaErrors
{
    public static ErrorFormat Format { get; } = new((error, _) => JsonSerializer.SerializeToUtf8Bytes(new OllamaError(error.Message), OllamaJson.Default.OllamaError));
}
