using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using ChatOptions = MoeOffload.Chat.ChatOptions;

namespace MoeOffload.Extensions.AI;

/// <summary>Reads the additional properties of chat options. Their names are those of other programs that run such models.</summary>
internal static class AdditionalOptions
{
    /// <summary>Applies the properties.</summary>
    /// <param name="options">The options to begin with.</param>
    /// <param name="properties">The properties, or null.</param>
    /// <param name="ignore">Is told the name of each unknown property.</param>
    /// <exception cref="ArgumentException">The value of a property has another type.</exception>
    public static ChatOptions Apply(ChatOptions options, AdditionalPropertiesDictionary? properties, Action<string> ignore)
    {
        foreach ((string name, object? value) in properties ?? [])
        {
            if (value is null)
            {
                continue;
            }

            SamplingOptions sampling = options.Sampling ?? new SamplingOptions();
            options = name switch
            {
                "min_p" => options with { Sampling = sampling with { MinP = (float)Number(name, value) } },
                "repeat_penalty" => options with
                {
                    Sampling = sampling with { Penalties = (sampling.Penalties ?? new PenaltiesSampler()) with { Repeat = (float)Number(name, value) } },
                },
                "grammar" => options with { Sampling = sampling with { Grammar = Text(name, value) } },
                "priority" => options with { Priority = (int)Number(name, value) },
                "deadline" => options with { Deadline = Time(name, value) },
                "chat_template_kwargs" => options with { TemplateArguments = Merge(options.TemplateArguments, Object(name, value)) },
                _ => Leave(),
            };

            ChatOptions Leave()
            {
                ignore(name);
                return options;
            }
        }

        return options;
    }

    private static double Number(string name, object value) => value switch
    {
        JsonElement { ValueKind: JsonValueKind.Number } json => json.GetDouble(),
        float or double or decimal or int or long or short or byte => Convert.ToDouble(value, CultureInfo.InvariantCulture),
        _ => throw Invalid(name, value, "a number"),
    };

    private static string Text(string name, object value) => value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!,
        _ => throw Invalid(name, value, "a string"),
    };

    private static TimeSpan Time(string name, object value) => value is TimeSpan time ? time : TimeSpan.FromSeconds(Number(name, value));

    private static JsonObject Object(string name, object value) => value switch
    {
        JsonObject json => json,
        JsonElement { ValueKind: JsonValueKind.Object } json => JsonObject.Create(json)!,
        _ => throw Invalid(name, value, "a JSON object"),
    };

    private static Dictionary<string, JsonNode?> Merge(IReadOnlyDictionary<string, JsonNode?> arguments, JsonObject added)
    {
        var merged = new Dictionary<string, JsonNode?>(arguments);
        foreach ((string name, JsonNode? value) in added)
        {
            merged[name] = value?.DeepClone();
        }

        return merged;
    }

    private static ArgumentException Invalid(string name, object value, string expected) =>
        new($"The additional property '{name}' must be {expected}, but it is a {value.GetType()}.", nameof(value));
}
