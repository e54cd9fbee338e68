using System.Text.Json;
using MoeOffload.Chat;

namespace MoeOffload.Games.Saving;

/// <summary>Writes a save as JSON.</summary>
internal static class SaveWriter
{
    /// <summary>Returns a save as UTF-8.</summary>
    public static byte[] Write(IReadOnlyDictionary<string, ConversationTurn[]> histories)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString(SaveFormat.FormatKey, SaveFormat.Name);
            json.WriteNumber(SaveFormat.VersionKey, SaveFormat.Version);
            json.WriteStartArray(SaveFormat.CharactersKey);
            foreach (KeyValuePair<string, ConversationTurn[]> history in histories)
            {
                json.WriteStartObject();
                json.WriteString(SaveFormat.NameKey, history.Key);
                json.WriteStartArray(SaveFormat.TurnsKey);
                foreach (ConversationTurn turn in history.Value)
                {
                    Write(json, turn);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void Write(Utf8JsonWriter json, ConversationTurn turn)
    {
        json.WriteStartObject();
        if (turn.IsInterrupted)
        {
            json.WriteBoolean(SaveFormat.InterruptedKey, true);
        }

        json.WriteStartArray(SaveFormat.MessagesKey);
        foreach (ChatMessage message in turn.Messages)
        {
            Write(json, message);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ChatMessage message)
    {
        json.WriteStartObject();
        json.WriteString(SaveFormat.RoleKey, message.Role switch
        {
            ChatRole.User => SaveFormat.Player,
            ChatRole.Tool => SaveFormat.Result,
            _ => SaveFormat.Character,
        });
        json.WriteString(SaveFormat.ContentKey, message.Content);
        if (message.Role == ChatRole.Tool)
        {
            json.WriteString(SaveFormat.IdKey, message.ToolCallId);
            json.WriteString(SaveFormat.NameKey, message.ToolName);
        }

        if (message.ToolCalls.Count > 0)
        {
            json.WriteStartArray(SaveFormat.ActionsKey);
            foreach (ToolCall call in message.ToolCalls)
            {
                json.WriteStartObject();
                json.WriteString(SaveFormat.IdKey, call.Id);
                json.WriteString(SaveFormat.NameKey, call.Name);
                json.WriteString(SaveFormat.ArgumentsKey, call.Arguments);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
