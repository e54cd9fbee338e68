using MoeOffload.Chat;

namespace MoeOffload.Server.OpenAI;

/// <summary>Converts the reason that an answer ended to OpenAI's <c>finish_reason</c>.</summary>
internal static class FinishReasons
{
    public static string Name(ChatFinishReason? reason) => reason switch
    {
        ChatFinishReason.ToolCalls => "tool_calls",
        ChatFinishReason.Length => "length",
        _ => "stop",
    };

    public static string Name(StopReason? reason) => reason is StopReason.EndOfSequence or StopReason.StopString ? "stop" : "length";
}
