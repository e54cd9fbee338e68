using System.Text.Json;
using System.Text.Json.Serialization;

namespace MoeOffload.Bindings.Generator;

/// <summary>Which headers become which classes, on which native libraries.</summary>
internal sealed record BindingsConfig(
    [property: JsonRequired] string Namespace,
    [property: JsonRequired] IReadOnlyList<BoundHeader> Headers)
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web);

    /// <summary>Reads the configuration.</summary>
    /// <exception cref="GeneratorException">The file is missing or malformed.</exception>
    public static BindingsConfig Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<BindingsConfig>(File.ReadAllBytes(path), s_options)!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new GeneratorException($"The configuration '{path}' cannot be read: {e.Message}");
        }
    }
}
