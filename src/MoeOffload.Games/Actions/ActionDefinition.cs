using System.Text;
using System.Text.Json;
using MoeOffload.Chat;

namespace MoeOffload.Games.Actions;

/// <summary>Represents an action: what the model reads of it, and how a call becomes one of the game's methods.</summary>
internal sealed class ActionDefinition
{
    private readonly Func<JsonElement, Func<string?>> _bind;

    /// <summary>Initializes a new instance of the <see cref="ActionDefinition"/> class.</summary>
    /// <param name="name">The name.</param>
    /// <param name="description">The description, which the model reads.</param>
    /// <param name="arguments">The parameters.</param>
    /// <param name="bind">Reads the arguments of a call, and returns the method with them.</param>
    /// <exception cref="ArgumentException">The name is not valid, or two parameters have the same one.</exception>
    public ActionDefinition(string name, string description, IActionArgument[] arguments, Func<JsonElement, Func<string?>> bind)
    {
        ActionName.Check(name, nameof(name));
        ArgumentNullException.ThrowIfNull(description);
        if (arguments.Select(argument => argument.Name).Distinct().Count() < arguments.Length)
        {
            throw new ArgumentException($"Two parameters of the action '{name}' have the same name.", nameof(arguments));
        }

        _bind = bind;
        Tool = new ToolDefinition { Name = name, Description = description, Parameters = Schema(arguments) };
    }

    /// <summary>Gets what the model reads of the action.</summary>
    public ToolDefinition Tool { get; }

    /// <summary>Reads the arguments of a call, and returns the game's method with them.</summary>
    /// <exception cref="FormatException">The arguments are not valid. The message is for the model.</exception>
    public Func<string?> Bind(string arguments)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(arguments.Length == 0 ? "{}" : arguments);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? _bind(document.RootElement)
                : throw new FormatException("The arguments are no JSON object.");
        }
        catch (JsonException error)
        {
            throw new FormatException("The arguments are no JSON object.", error);
        }
    }

    private static string Schema(IActionArgument[] arguments)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("type", "object");
            json.WriteStartObject("properties");
            foreach (IActionArgument argument in arguments)
            {
                argument.WriteSchema(json);
            }

            json.WriteEndObject();
            json.WriteStartArray("required");
            foreach (IActionArgument argument in arguments.Where(argument => !argument.IsOptional))
            {
                json.WriteStringValue(argument.Name);
            }

            json.WriteEndArray();
            json.WriteBoolean("additionalProperties", false);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
