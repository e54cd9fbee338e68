using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Anthropic;

/// <summary>Sends an answer as the events of Anthropic's streams: a message of blocks, each of which is started, filled and stopped before the next one.</summary>
internal sealed class MessageEvents(SseWriter stream, MessagesRequest asked)
{
    private int _block = -1;
    private string? _open;
    private int _call = -1;

    /// <summary>Sends the answer while it is generated.</summary>
    public async Task SendAsync(string id, ChatAnswers answers)
    {
        ChatStream chat = answers.Stream;
        var start = new MessageAnswer(id, "message", "assistant", answers.ModelName, [], null, null, new Usage(chat.PromptTokenCount, 0, 0, 0));
        await SendAsync("message_start", new MessageStart("message_start", start), AnthropicJson.Default.MessageStart).ConfigureAwait(false);
        await SendAsync("ping", new PlainEvent("ping"), AnthropicJson.Default.PlainEvent).ConfigureAwait(false);
        stream.SignOfLife = () => SendAsync("ping", new PlainEvent("ping"), AnthropicJson.Default.PlainEvent);
        ChatUpdate? last = null;
        await foreach ((_, ChatUpdate update) in answers.ReadAsync().ConfigureAwait(false))
        {
            last = update;
            await AddAsync(update).ConfigureAwait(false);
        }

        answers.Log(last!);
        await CloseAsync().ConfigureAwait(false);
        (string reason, string? sequence) = WhyStopped(chat, last!);
        var end = new MessageDelta("message_delta", new StopDelta(reason, sequence), UsageOf(last!.Statistics!), SchemaCheck.Of(asked.Options.ResponseSchema, last.Message!.Content));
        await SendAsync("message_delta", end, AnthropicJson.Default.MessageDelta).ConfigureAwait(false);
        await SendAsync("message_stop", new PlainEvent("message_stop"), AnthropicJson.Default.PlainEvent).ConfigureAwait(false);
    }

    /// <summary>Gets Anthropic's <c>stop_reason</c> of an answer, and the stop sequence that ended it.</summary>
    public static (string Reason, string? Sequence) WhyStopped(ChatStream chat, ChatUpdate last) => last.FinishReason switch
    {
        ChatFinishReason.ToolCalls => ("tool_use", null),
        ChatFinishReason.Length => ("max_tokens", null),
        _ when chat.StopString is { } stop && !chat.Chat!.StopStrings.Contains(stop) => ("stop_sequence", stop),
        _ => ("end_turn", null),
    };

    /// <summary>Gets the token usage of an answer. Tokens from the prefix cache are counted separately.</summary>
    public static Usage UsageOf(GenerationStatistics statistics) => new(
        statistics.PromptTokens - statistics.CachedPromptTokens, 0, statistics.CachedPromptTokens, statistics.GeneratedTokens);

    private async Task AddAsync(ChatUpdate update)
    {
        if (asked.ShowsThinking && update.ReasoningContent.Length > 0)
        {
            await OpenAsync("thinking", ContentBlock.OfThinking(string.Empty)).ConfigureAwait(false);
            await FillAsync(new Delta("thinking_delta", Thinking: update.ReasoningContent)).ConfigureAwait(false);
        }

        if (update.Content.Length > 0)
        {
            await OpenAsync("text", ContentBlock.OfText(string.Empty)).ConfigureAwait(false);
            await FillAsync(new Delta("text_delta", Text: update.Content)).ConfigureAwait(false);
        }

        foreach (ToolCallUpdate call in update.ToolCalls)
        {
            if (call.Index != _call)
            {
                await CloseAsync().ConfigureAwait(false);
                _call = call.Index;
                await OpenAsync("tool_use", ContentBlock.OfCall(call.Id ?? string.Empty, call.Name ?? string.Empty, new JsonObject())).ConfigureAwait(false);
            }

            if (call.Arguments.Length > 0)
            {
                await FillAsync(new Delta("input_json_delta", PartialJson: call.Arguments)).ConfigureAwait(false);
            }
        }
    }

    private async Task OpenAsync(string kind, ContentBlock block)
    {
        if (_open == kind)
        {
            return;
        }

        await CloseAsync().ConfigureAwait(false);
        _open = kind;
        _block++;
        await SendAsync("content_block_start", new BlockStart("content_block_start", _block, block), AnthropicJson.Default.BlockStart).ConfigureAwait(false);
    }

    private Task FillAsync(Delta delta) =>
        SendAsync("content_block_delta", new BlockDelta("content_block_delta", _block, delta), AnthropicJson.Default.BlockDelta);

    private async Task CloseAsync()
    {
        if (_open is null)
        {
            return;
        }

        // Clients expect a signature at the end of thinking, and send it back with the thinking.
        if (_open == "thinking")
        {
            await FillAsync(new Delta("signature_delta", Signature: string.Empty)).ConfigureAwait(false);
        }

        _open = null;
        await SendAsync("content_block_stop", new BlockStop("content_block_stop", _block), AnthropicJson.Default.BlockStop).ConfigureAwait(false);
    }

    private Task SendAsync<T>(string name, T value, JsonTypeInfo<T> type) => stream.SendAsync(value, type, name);
}
