using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Contains the values that are kinds of their own.</summary>
internal static class JsonConstants
{
    private static readonly JsonElement s_null = JsonElement.Parse("null");
    private static readonly JsonElement s_true = JsonElement.Parse("true");
    private static readonly JsonElement s_false = JsonElement.Parse("false");

    /// <summary>Returns null, true and false, as far as they are of the kinds.</summary>
    public static IReadOnlyList<JsonElement> Of(JsonKinds kinds) =>
        [.. kinds.HasFlag(JsonKinds.Boolean) ? [s_true, s_false] : Array.Empty<JsonElement>(), .. kinds.HasFlag(JsonKinds.Null) ? [s_null] : Array.Empty<JsonElement>()];
}
