using System.Text.Json;
using MoeOffload.Chat;

namespace MoeOffload.Games.Saving;

/// <summary>Reads a save from JSON, and trusts nothing in it.</summary>
internal static class SaveReader
{
    /// <summary>Reads a save.</summary>
    /// <param name="json">The save as UTF-8.</param>
    /// <exception cref="StateFormatException">The save is not valid.</exception>
    public static Dictionary<string, ConversationTurn[]> Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return Read(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new StateFormatException($"The save is damaged, or is no save of characters: {error.Message} Nothing was restored. Use another save.", error);
        }
    }

    private static Dictionary<string, ConversationTurn[]> Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(SaveFormat.FormatKey, out JsonElement format)
            || format.ValueKind != JsonValueKind.String || format.GetString() != SaveFormat.Name)
        {
            throw new FormatException($"The '{SaveFormat.FormatKey}' is not '{SaveFormat.Name}'.");
        }

        if (root.GetProperty(SaveFormat.VersionKey).GetInt32() is not SaveFormat.Version and var version)
        {
            throw new StateFormatException(
                $"The save of characters has version {version}, and this version of MoeOffload.Games reads version {SaveFormat.Version}. Nothing was restored. Update the game.");
        }

        var histories = new Dictionary<string, ConversationTurn[]>(StringComparer.Ordinal);
        foreach (JsonElement character in root.GetProperty(SaveFormat.CharactersKey).EnumerateArray())
        {
            string name = Text(character, SaveFormat.NameKey);
            ConversationTurn[] turns = [.. character.GetProperty(SaveFormat.TurnsKey).EnumerateArray().Select(ReadTurn)];
            if (!histories.TryAdd(name, turns))
            {
                throw new FormatException($"Two characters are named '{name}'.");
            }
        }

        return histories;
    }

    private static ConversationTurn ReadTurn(JsonElement turn)
    {
        ChatMessage[] messages = [.. turn.GetProperty(SaveFormat.MessagesKey).EnumerateArray().Select(ReadMessage)];
        if (messages is not [{ Role: ChatRole.User }, .., { Role: ChatRole.Assistant, ToolCalls.Count: 0 }])
        {
            throw new FormatException("A turn does not begin with the player, or does not end with the character.");
        }

        return new ConversationTurn(messages, turn.TryGetProperty(SaveFormat.InterruptedKey, out JsonElement interrupted) && interrupted.GetBoolean());
    }

    private static ChatMessage ReadMessage(JsonElement message)
    {
        string content = Text(message, SaveFormat.ContentKey);
        return Text(message, SaveFormat.RoleKey) switch
        {
            SaveFormat.Player => ChatMessage.User(content),
            SaveFormat.Result => new ChatMessage
            {
                Role = ChatRole.Tool,
                Content = content,
                ToolCallId = Text(message, SaveFormat.IdKey),
                ToolName = Text(message, SaveFormat.NameKey),
            },
            SaveFormat.Character => ChatMessage.Assistant(content) with
            {
                ToolCalls = message.TryGetProperty(SaveFormat.ActionsKey, out JsonElement actions) ? [.. actions.EnumerateArray().Select(ReadCall)] : [],
            },
            string role => throw new FormatException($"A message is from '{role}'."),
        };
    }

    private static ToolCall ReadCall(JsonElement call) => new()
    {
        Id = Text(call, SaveFormat.IdKey),
        Name = Text(call, SaveFormat.NameKey),
        Arguments = Text(call, SaveFormat.ArgumentsKey),
    };

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new FormatException($"A '{name}' is null.");
}
