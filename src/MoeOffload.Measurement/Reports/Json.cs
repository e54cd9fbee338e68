using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Reports;

/// <summary>Writes machine-readable reports: one JSON value with keys in snake case, sizes in bytes, and times in milliseconds.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(TextWriter writer, JsonNode value) => writer.WriteLine(value.ToJsonString(s_indented));

    public static JsonArray Array(IEnumerable<JsonNode?> items) => [.. items];

    public static JsonArray Array(IEnumerable<string> items) => [.. items.Select(item => (JsonNode?)item)];
}
