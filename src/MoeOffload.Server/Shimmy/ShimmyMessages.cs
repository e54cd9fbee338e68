using System.Text.Json.Serialization;
using MoeOffload.Server.Web;

namespace MoeOffload.Server.Shimmy;

internal sealed record GeneratedText(string Response);

internal sealed record DoneMessage(bool Done);

internal sealed record ListedModels(IReadOnlyList<ListedModel> Models, int? Discovered = null);

internal sealed record ListedModel(string Name, long SizeBytes, string ModelType, string ParameterCount, string Source, bool Loaded);

internal sealed record LoadAnswer(string Model, string Status, bool Loaded, string Message);

/// <summary>Represents the answer of <c>GET /diag</c>, which describes the machine.</summary>
internal sealed record Diagnosis(
    string Os, int Cores, long MemTotalMb, string OsDescription, string Architecture, string Runtime, string Version, IReadOnlyList<DiagnosedDevice> Devices);

internal sealed record DiagnosedDevice(string Name, string Description, string Kind, long TotalBytes, long FreeBytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GeneratedText))]
[JsonSerializable(typeof(DoneMessage))]
[JsonSerializable(typeof(ListedModels))]
[JsonSerializable(typeof(LoadAnswer))]
[JsonSerializable(typeof(Diagnosis))]
[JsonSerializable(typeof(ModelReport))]
internal sealed partial class ShimmyJson : JsonSerializerContext;
