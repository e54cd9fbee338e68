using System.Text;
using MoeOffload.Chat;

namespace MoeOffload.Server.OpenAI;

/// <summary>Creates the items of a response and their events from the updates of an answer.</summary>
/// <param name="model">The model that generates the answer.</param>
/// <param name="hasProbabilities">Whether the events include log probabilities.</param>
/// <param name="customTools">The names of the tools whose input is a text.</param>
/// <param name="emit">The function that sends an event.</param>
internal sealed class ResponseItems(MoeModel model, bool hasProbabilities, IReadOnlySet<string> customTools, Func<ResponseEvent, Task> emit)
{
    private readonly List<OutputItem> _done = [];
    private readonly StringBuilder _text = new();
    private readonly List<TokenProbabilityBody> _probabilities = [];
    private OutputItem? _open;

    /// <summary>Gets the completed items.</summary>
    public IReadOnlyList<OutputItem> Done => _done;

    /// <summary>Adds an update of the answer.</summary>
    public async Task AddAsync(ChatUpdate update)
    {
        if (update.ReasoningContent.Length > 0)
        {
            await OpenAsync("reasoning", () => new OutputItem { Id = NewId("rs"), Type = "reasoning", Summary = [], Content = [] }).ConfigureAwait(false);
            await AddTextAsync("response.reasoning_text.delta", update.ReasoningContent, null).ConfigureAwait(false);
        }

        if (update.Content.Length > 0)
        {
            await OpenMessageAsync().ConfigureAwait(false);
            TokenProbabilityBody[] probabilities = hasProbabilities ? LogProbabilities.List(model, update.Tokens) : [];
            _probabilities.AddRange(probabilities);
            await AddTextAsync("response.output_text.delta", update.Content, probabilities).ConfigureAwait(false);
        }

        foreach (ToolCallUpdate call in update.ToolCalls)
        {
            await AddCallAsync(call).ConfigureAwait(false);
        }
    }

    /// <summary>Completes the last item.</summary>
    /// <param name="isCut">Whether the answer is incomplete.</param>
    public async Task EndAsync(bool isCut)
    {
        if (_open is null && _done.Count == 0)
        {
            await OpenMessageAsync().ConfigureAwait(false);
        }

        await CloseAsync(isCut ? "incomplete" : "completed").ConfigureAwait(false);
    }

    private static string NewId(string prefix) => $"{prefix}_{Guid.NewGuid():N}";

    private async Task AddCallAsync(ToolCallUpdate call)
    {
        if (call.Id is { } id)
        {
            await CloseAsync("completed").ConfigureAwait(false);
            bool isCustom = customTools.Contains(call.Name!);
            string type = isCustom ? "custom_tool_call" : "function_call";
            await OpenAsync(
                type,
                () => new OutputItem
                {
                    Id = NewId(isCustom ? "ctc" : "fc"),
                    Type = type,
                    Status = "in_progress",
                    CallId = id,
                    Name = call.Name,
                    Arguments = isCustom ? null : string.Empty,
                    Input = isCustom ? string.Empty : null,
                }).ConfigureAwait(false);
        }

        if (call.Arguments.Length > 0)
        {
            // The input of a custom tool is known when its arguments are complete.
            _text.Append(call.Arguments);
            if (_open?.Type == "function_call")
            {
                await emit(Event("response.function_call_arguments.delta") with { Delta = call.Arguments }).ConfigureAwait(false);
            }
        }
    }

    private Task AddTextAsync(string type, string text, TokenProbabilityBody[]? probabilities)
    {
        _text.Append(text);
        return emit(Event(type) with { ContentIndex = 0, Delta = text, Logprobs = probabilities });
    }

    private Task OpenMessageAsync() => OpenAsync(
        "message", () => new OutputItem { Id = NewId("msg"), Type = "message", Status = "in_progress", Role = "assistant", Content = [] });

    private async Task OpenAsync(string type, Func<OutputItem> make)
    {
        if (_open?.Type == type)
        {
            return;
        }

        await CloseAsync("completed").ConfigureAwait(false);
        _open = make();
        await emit(new ResponseEvent("response.output_item.added") { OutputIndex = _done.Count, Item = _open }).ConfigureAwait(false);
        if (!type.EndsWith("_call", StringComparison.Ordinal))
        {
            await emit(Event("response.content_part.added") with { ContentIndex = 0, Part = Part() }).ConfigureAwait(false);
        }
    }

    private async Task CloseAsync(string status)
    {
        if (_open is null)
        {
            return;
        }

        string text = _text.ToString();
        switch (_open.Type)
        {
            case "message":
                await emit(Event("response.output_text.done") with { ContentIndex = 0, Text = text, Logprobs = [.. _probabilities] }).ConfigureAwait(false);
                break;
            case "reasoning":
                await emit(Event("response.reasoning_text.done") with { ContentIndex = 0, Text = text }).ConfigureAwait(false);
                break;
            case "custom_tool_call":
                text = CustomTools.InputOf(text);
                await emit(Event("response.custom_tool_call_input.delta") with { Delta = text }).ConfigureAwait(false);
                await emit(Event("response.custom_tool_call_input.done") with { Input = text }).ConfigureAwait(false);
                break;
            default:
                await emit(Event("response.function_call_arguments.done") with { Name = _open.Name, Arguments = text }).ConfigureAwait(false);
                break;
        }

        if (_open.Type == "function_call")
        {
            _open = _open with { Status = status, Arguments = text };
        }
        else if (_open.Type == "custom_tool_call")
        {
            _open = _open with { Status = status, Input = text };
        }
        else
        {
            await emit(Event("response.content_part.done") with { ContentIndex = 0, Part = Part() }).ConfigureAwait(false);
            _open = _open with { Status = _open.Status is null ? null : status, Content = [Part()] };
        }

        await emit(new ResponseEvent("response.output_item.done") { OutputIndex = _done.Count, Item = _open }).ConfigureAwait(false);
        _done.Add(_open);
        _open = null;
        _text.Clear();
        _probabilities.Clear();
    }

    private ContentPart Part() => _open!.Type == "reasoning"
        ? new ContentPart("reasoning_text", _text.ToString())
        : new ContentPart("output_text", _text.ToString(), [], [.. _probabilities]);

    private ResponseEvent Event(string type) => new(type) { ItemId = _open!.Id, OutputIndex = _done.Count };
}
