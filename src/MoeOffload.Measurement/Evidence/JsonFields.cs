using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Evidence;

/// <summary>Reads fields of untrusted JSON objects. A value of another type is treated as missing.</summary>
internal static class JsonFields
{
    public static string Text(this JsonObject value, string field) =>
        value[field] is JsonValue text && text.GetValueKind() == JsonValueKind.String ? text.GetValue<string>() : string.Empty;

    public static bool Flag(this JsonObject value, string field) => value[field]?.GetValueKind() == JsonValueKind.True;

    /// <summary>Returns a number, or NaN if there is none.</summary>
    public static double Number(this JsonObject value, string field) => AsNumber(value[field]);

    /// <summary>Returns an integer, or 0 if there is none.</summary>
    public static long Whole(this JsonObject value, string field) =>
        value.Number(field) is var number && Math.Abs(number) < 1L << 53 && number == Math.Floor(number) ? (long)number : 0;

    public static IEnumerable<JsonObject> Objects(this JsonObject value, string field) => value[field] is JsonArray list ? list.OfType<JsonObject>() : [];

    public static JsonObject Object(this JsonObject value, string field) => value[field] as JsonObject ?? [];

    public static IEnumerable<string> Texts(this JsonObject value, string field) => value[field] is not JsonArray list
        ? []
        : list.OfType<JsonValue>().Where(item => item.GetValueKind() == JsonValueKind.String).Select(item => item.GetValue<string>());

    public static IEnumerable<double> Numbers(this JsonObject value, string field) => value[field] is JsonArray list ? list.Select(AsNumber) : [];

    // A value that was created in memory keeps its .NET type, so it is compared by its JSON text, like one that was read.
    private static double AsNumber(JsonNode? value) => value is JsonValue number && number.GetValueKind() == JsonValueKind.Number
        && double.TryParse(number.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double result) ? result : double.NaN;
}
