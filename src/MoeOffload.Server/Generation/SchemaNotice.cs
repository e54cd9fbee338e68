using MoeOffload.Chat;
using MoeOffload.Schemas;

namespace MoeOffload.Server.Generation;

/// <summary>Tells the model the schema of its answer, if the grammar does not hold all of it.</summary>
internal static class SchemaNotice
{
    private const int MostNamed = 20;

    /// <summary>Adds the schema to the system text.</summary>
    public static IReadOnlyList<ChatMessage> Add(IReadOnlyList<ChatMessage> messages, JsonSchema? schema)
    {
        if (schema is null or { Unenforced.Count: 0 } || messages.Count == 0)
        {
            return messages;
        }

        string notice = $"Write the answer as JSON that is valid against this JSON schema, including {string.Join(", ", schema.Unenforced.Take(MostNamed))}:\n{schema}";
        return messages[0].Role is ChatRole.System or ChatRole.Developer
            ? [messages[0] with { Content = $"{messages[0].Content}\n\n{notice}" }, .. messages.Skip(1)]
            : [ChatMessage.System(notice), .. messages];
    }
}
