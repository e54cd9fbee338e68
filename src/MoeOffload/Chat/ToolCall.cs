using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace MoeOffload.Chat;

/// <summary>Represents a tool call by the model.</summary>
public sealed record ToolCall
{
    /// <summary>Gets or sets the id, which the tool's result refers to.</summary>
    public required string Id
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Id));
    }

    /// <summary>Gets or sets the name of the tool.</summary>
    public required string Name
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Name));
    }

    /// <summary>Gets or sets the arguments as a JSON object. The JSON is incomplete if the answer was cut off.</summary>
    public required string Arguments
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Arguments));
    }

    /// <summary>Deserializes the arguments. Blocks for a time that grows with them, as <see cref="JsonSerializer"/> does.</summary>
    /// <param name="type">The metadata of the type to deserialize to.</param>
    /// <exception cref="JsonException">The arguments are not valid JSON, or do not match the type.</exception>
    public T? DeserializeArguments<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Arguments, type);
}
