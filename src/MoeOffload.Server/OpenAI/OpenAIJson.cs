using System.Text.Json.Serialization;

namespace MoeOffload.Server.OpenAI;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ModelListBody))]
[JsonSerializable(typeof(ModelBody))]
[JsonSerializable(typeof(ChatCompletionBody))]
[JsonSerializable(typeof(ChatChunkBody))]
[JsonSerializable(typeof(ChatChunkWithoutUsageBody))]
[JsonSerializable(typeof(CompletionBody))]
[JsonSerializable(typeof(CompletionChunkWithoutUsageBody))]
[JsonSerializable(typeof(ResponseBody))]
[JsonSerializable(typeof(ResponseEvent))]
[JsonSerializable(typeof(DeletedBody))]
internal sealed partial class OpenAIJson : JsonSerializerContext;
