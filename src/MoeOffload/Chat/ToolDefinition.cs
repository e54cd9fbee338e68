using System.Text.Json.Serialization.Metadata;
using MoeOffload.Schemas;

namespace MoeOffload.Chat;

/// <summary>Represents a tool that the model can call.</summary>
public sealed record ToolDefinition
{
    /// <summary>Gets or sets the name of the tool: at most 128 characters, without white space.</summary>
    public required string Name
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Name));
    }

    /// <summary>Gets or sets the description of the tool, which is shown to the model.</summary>
    public string Description
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Description));
    } = string.Empty;

    /// <summary>
    /// Gets or sets the parameters as a JSON schema of an object. The default is a schema without properties. The model sees the schema
    /// unchanged. Keywords that <see cref="JsonSchema"/> does not support are not enforced.
    /// </summary>
    public string Parameters
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Parameters));
    } = """{"type":"object","properties":{}}""";

    /// <summary>Creates a tool whose parameters are described by a .NET type.</summary>
    /// <param name="name">The name of the tool.</param>
    /// <param name="description">The description of the tool, which is shown to the model.</param>
    /// <param name="arguments">The metadata of the type of the arguments.</param>
    public static ToolDefinition For<T>(string name, string description, JsonTypeInfo<T> arguments) =>
        new() { Name = name, Description = description, Parameters = JsonSchema.For(arguments).ToString() };
}
