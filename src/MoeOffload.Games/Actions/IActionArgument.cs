using System.Text.Json;

namespace MoeOffload.Games.Actions;

/// <summary>Represents a parameter of an action together with its type.</summary>
internal interface IActionArgument
{
    /// <summary>Gets the name.</summary>
    string Name { get; }

    /// <summary>Gets a value that indicates whether the argument can be left out.</summary>
    bool IsOptional { get; }

    /// <summary>Writes the argument as a property of a JSON schema.</summary>
    void WriteSchema(Utf8JsonWriter json);
}
