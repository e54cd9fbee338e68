using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MoeOffload.Chat;

/// <summary>A call of a tool, by the model.</summary>
public sealed record ToolCall
{
    /// <summary>What the tool's result names as the call that it answers.</summary>
    public required string Id { get; init; }

    /// <summary>The tool's name.</summary>
    public required string Name { get; init; }

    /// <summary>The arguments, a JSON object; cut where the answer was.</summary>
    public required string Arguments { get; init; }

    /// <summary>Reads the arguments.</summary>
    /// <param name="type">How to read them.</param>
    /// <exception cref="JsonException">They are no JSON, or not of this type.</exception>
    public T? ReadArguments<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Arguments, type);
}
