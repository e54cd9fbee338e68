using System.Text.Json;
using System.Text.Json.Serialization;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Writes errors in OpenAI's format.</summary>
internal static class OpenAIErrors
{
    /// <summary>Gets the format for all endpoints except <c>/v1/responses</c>.</summary>
    public static ErrorFormat Format { get; } = new(Body);

    /// <summary>Gets the format for <c>/v1/responses</c>, whose streams have their own events for errors.</summary>
    public static ErrorFormat Responses { get; } = new(
        Body,
        (error, count) => JsonSerializer.SerializeToUtf8Bytes(
            new ErrorEvent("error", error.Code, error.Message, error.Parameter, count), OpenAIErrorJson.Default.ErrorEvent),
        "error");

    private static byte[] Body(ApiException error, string requestId) => JsonSerializer.SerializeToUtf8Bytes(
        new ErrorBody(new ErrorDetail(error.Message, error.Type, error.Parameter, error.Code)), OpenAIErrorJson.Default.ErrorBody);
}

internal sealed record ErrorBody(ErrorDetail Error);

internal sealed record ErrorDetail(
    string Message, string Type, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param, string Code);

internal sealed record ErrorEvent(
    string Type, string Code, string Message, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param, int SequenceNumber);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(ErrorEvent))]
internal sealed partial class OpenAIErrorJson : JsonSerializerContext;
