using MoeOffload.Chat;

namespace MoeOffload.Server.Generation;

/// <summary>Continues the last message of a chat if it is from the assistant, as the APIs do.</summary>
internal static class Prefill
{
    public static ChatOptions Apply(ChatOptions options, IReadOnlyList<ChatMessage> messages) =>
        messages[^1] is { Role: ChatRole.Assistant, ToolCalls.Count: 0, Content.Length: > 0 }
            ? options with { ContinueLastMessage = true }
            : options;
}
