using System.Text.Json;
using System.Text.Json.Serialization;

namespace MoeOffload.Server.OpenAI;

/// <summary>Errors in OpenAI's shape.</summary>
internal static class OpenAIErrors
{
    public static ErrorFormat Format { get; } = new((error, _) => JsonSerializer.SerializeToUtf8Bytes(
        new ErrorBody(new ErrorDetail(error.Message, error.Type, error.Parameter, error.Code)), OpenAIErrorJson.Default.ErrorBody));
}

internal sealed record ErrorBody(ErrorDetail Error);

internal sealed record ErrorDetail(
    string Message, string Type, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param, string Code);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ErrorBody))]
internal sealed partial class OpenAIErrorJson : JsonSerializerContext;
