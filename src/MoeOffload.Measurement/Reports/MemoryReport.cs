using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Reports;

/// <summary>Converts placement and memory to JSON.</summary>
internal static class MemoryReport
{
    public static JsonObject Describe(PlacementReport placement) => new()
    {
        ["buffers"] = Json.Array(placement.Buffers.Select(buffer => new JsonObject
        {
            ["buffer"] = buffer.Buffer,
            ["device"] = buffer.IsHost ? "host" : buffer.Device,
            ["tensors"] = buffer.TensorCount,
            ["bytes"] = buffer.Bytes,
            ["expert_tensors"] = buffer.ExpertTensorCount,
            ["expert_bytes"] = buffer.ExpertBytes,
        })),
        ["rules"] = Json.Array(placement.Rules.Select(rule => new JsonObject
        {
            ["pattern"] = rule.Rule.Pattern,
            ["buffer"] = rule.Rule.Buffer,
            ["tensors"] = rule.TensorCount,
            ["bytes"] = rule.Bytes,
        })),
    };

    public static JsonArray Describe(MemoryBreakdown memory) => Json.Array(memory.Devices.Select(device => new JsonObject
    {
        ["device"] = device.IsHost ? "host" : device.Device,
        ["weight_bytes"] = device.WeightBytes,
        ["context_bytes"] = device.ContextBytes,
        ["compute_bytes"] = device.ComputeBytes,
        ["total_bytes"] = device.TotalBytes,
    }));

    public static JsonObject Describe(GenerationStatistics statistics) => new()
    {
        ["prompt_tokens"] = statistics.PromptTokens,
        ["cached_prompt_tokens"] = statistics.CachedPromptTokens,
        ["generated_tokens"] = statistics.GeneratedTokens,
        ["time_to_first_token_ms"] = statistics.TimeToFirstToken.TotalMilliseconds,
        ["decode_ms"] = statistics.DecodeTime.TotalMilliseconds,
        ["tokens_per_second"] = statistics.TokensPerSecond,
    };
}
