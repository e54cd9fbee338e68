using MoeOffload.Chat;

namespace MoeOffload.Server.OpenAI;

/// <summary>Converts the tool calls of a streamed answer. The input of a custom tool is sent at the end, when its arguments are complete.</summary>
/// <param name="customTools">The names of the tools whose input is a text.</param>
internal sealed class CallDeltas(IReadOnlySet<string> customTools)
{
    private readonly HashSet<int> _custom = [];

    /// <summary>Converts an update.</summary>
    public IReadOnlyList<CallBody> Of(ChatUpdate update)
    {
        var calls = new List<CallBody>();
        foreach (ToolCallUpdate call in update.ToolCalls)
        {
            if (call.Name is { } name && customTools.Contains(name))
            {
                _custom.Add(call.Index);
                calls.Add(new CallBody(call.Index, call.Id, "custom", Custom: new CustomBody(name, string.Empty)));
            }
            else if (!_custom.Contains(call.Index))
            {
                calls.Add(new CallBody(call.Index, call.Id, call.Id is null ? null : "function", new FunctionBody(call.Name, call.Arguments)));
            }
        }

        if (update.Message is { } message)
        {
            calls.AddRange(_custom.Order().Select(index =>
                new CallBody(index, null, null, Custom: new CustomBody(null, CustomTools.InputOf(message.ToolCalls[index].Arguments)))));
        }

        return calls;
    }
}
