using System.Text.Json.Nodes;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Benches;
using MoeOffload.Measurement.Evidence.Verification;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Describes a model for <c>model.json</c>.</summary>
internal static class ModelFacts
{
    /// <summary>Reads and hashes the files of a model.</summary>
    /// <param name="subject">The model.</param>
    /// <param name="contextLength">The context length of the measurements.</param>
    /// <param name="cancellationToken">Cancels the measurement.</param>
    /// <exception cref="GgufFormatException">The file is not a model.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<JsonObject> ReadAsync(BenchSubject subject, int contextLength, CancellationToken cancellationToken)
    {
        GgufModelFiles files = GgufModelFiles.Open(subject.Path);
        string[] hashes = await ModelFileCheck.HashAsync(files, cancellationToken).ConfigureAwait(false);
        var summary = ModelSummary.Of(files);
        return new JsonObject
        {
            ["name"] = summary.Name,
            ["synthetic"] = subject.IsSynthetic,
            ["files"] = Json.Array(files.Parts.Select((part, index) => new JsonObject { ["file"] = Path.GetFileName(part.Path), ["bytes"] = part.Length, ["sha256"] = hashes[index] })),
            ["bytes"] = files.Length,
            ["architecture"] = summary.Architecture,
            ["parameters"] = summary.ParameterCount,
            ["layers"] = summary.LayerCount,
            ["embedding_length"] = summary.EmbeddingLength,
            ["expert_count"] = summary.ExpertCount,
            ["expert_used_count"] = summary.ExpertUsedCount,
            ["expert_shared_count"] = summary.SharedExpertCount,
            ["trained_context_length"] = summary.ContextLength,
            ["context_length"] = contextLength,
            ["devices"] = Json.Array(subject.Accelerators().Select(device => new JsonObject
            {
                ["name"] = device.Name,
                ["description"] = device.Description,
                ["kind"] = MachineFacts.KindOf(device.Kind),
                ["local"] = device.Kind != DeviceKind.Rpc || IsLocal(device.Description),
            })),
            ["tensors"] = Json.Array(TensorSummary.Of(files.Tensors).Select(group => new JsonObject
            {
                ["group"] = group.Name,
                ["type"] = group.Type,
                ["count"] = group.Count,
                ["parameters"] = group.ParameterCount,
                ["bytes"] = group.Bytes,
            })),
            ["metadata"] = new JsonObject(files.Metadata.Select(item => KeyValuePair.Create(item.Key, (JsonNode?)MetadataText.Of(item.Value)))),
        };
    }

    private static bool IsLocal(string address) => address.StartsWith("127.", StringComparison.Ordinal) || address.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase);
}
