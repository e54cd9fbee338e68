using System.Text.Json.Serialization.Metadata;
using MoeOffload.Schemas;

namespace MoeOffload.Chat;

/// <summary>A tool that the model may call.</summary>
public sealed record ToolDefinition
{
    /// <summary>The tool's name, without white space.</summary>
    public required string Name { get; init; }

    /// <summary>What the tool does, for the model.</summary>
    public string Description { get; init; } = string.Empty;

    /// <summary>
    /// A JSON schema of the arguments, an object; by default one without properties. The model reads it as it is. What
    /// <see cref="JsonSchema"/> could not honour is left to the model, and not enforced.
    /// </summary>
    public string Parameters { get; init; } = """{"type":"object","properties":{}}""";

    /// <summary>Makes a tool whose arguments are a .NET type's.</summary>
    /// <param name="name">The tool's name.</param>
    /// <param name="description">What the tool does, for the model.</param>
    /// <param name="arguments">The type of the arguments.</param>
    public static ToolDefinition For<T>(string name, string description, JsonTypeInfo<T> arguments) =>
        new() { Name = name, Description = description, Parameters = JsonSchema.For(arguments).ToString() };
}
