using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>
/// Keeps the latest responses, so that later requests can continue or refer to them. What no longer fits is forgotten, the oldest first.
/// This type is thread-safe.
/// </summary>
internal sealed class ResponseStore
{
    private const int MostResponses = 1000;
    private const long MostCharacters = 32 << 20;

    // The maximum length of a requested id that an error message repeats.
    private const int LongestId = 80;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, StoredResponse> _responses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OutputItem> _items = new(StringComparer.Ordinal);
    private readonly LinkedList<StoredResponse> _order = new();
    private long _characters;

    /// <summary>Stores a response.</summary>
    /// <param name="input">The messages that it answers, without the instructions.</param>
    /// <param name="body">The response.</param>
    public void Add(IReadOnlyList<ChatMessage> input, ResponseBody body)
    {
        var stored = new StoredResponse(input, body);
        lock (_gate)
        {
            _responses[body.Id] = stored;
            _order.AddLast(stored);
            _characters += stored.Characters;
            foreach (OutputItem item in body.Output)
            {
                _items[item.Id] = item;
            }

            while (_order.Count > MostResponses || (_characters > MostCharacters && _order.Count > 1))
            {
                Remove(_order.First!.Value);
            }
        }
    }

    /// <summary>Gets a response.</summary>
    /// <param name="id">The id of the response.</param>
    /// <param name="parameter">The field that names it, or <see langword="null"/> if the address does.</param>
    /// <exception cref="ApiException">The response is not stored.</exception>
    public StoredResponse Get(string id, string? parameter = null)
    {
        lock (_gate)
        {
            return _responses.GetValueOrDefault(id) ?? throw new ApiException(
                parameter is null ? 404 : 400,
                "invalid_request_error",
                "previous_response_not_found",
                $"The response '{ShortText.Of(id, LongestId)}' is not stored. Responses are kept until the server needs the room or stops, and only if 'store' is not false. Send the whole input instead.",
                parameter);
        }
    }

    /// <summary>Gets an item of the output of a response.</summary>
    /// <exception cref="ApiException">The item is not stored.</exception>
    public OutputItem GetItem(string id, string parameter)
    {
        lock (_gate)
        {
            return _items.GetValueOrDefault(id) ?? throw new ApiException(
                404,
                "invalid_request_error",
                "item_not_found",
                $"The item '{ShortText.Of(id, LongestId)}' is not stored. Items are kept until the server needs the room or stops, and only if 'store' is not false. Send the item itself, or remove it from the input.",
                parameter);
        }
    }

    /// <summary>Forgets a response.</summary>
    /// <exception cref="ApiException">The response is not stored.</exception>
    public void Delete(string id)
    {
        lock (_gate)
        {
            Remove(Get(id));
        }
    }

    private void Remove(StoredResponse stored)
    {
        _order.Remove(stored);
        _responses.Remove(stored.Body.Id);
        _characters -= stored.Characters;
        foreach (OutputItem item in stored.Body.Output)
        {
            _items.Remove(item.Id);
        }
    }
}

/// <summary>Represents a stored response.</summary>
/// <param name="Input">The messages that it answers, without the instructions.</param>
/// <param name="Body">The response.</param>
internal sealed record StoredResponse(IReadOnlyList<ChatMessage> Input, ResponseBody Body)
{
    /// <summary>Gets the approximate size.</summary>
    public long Characters { get; } = 1000 + Input.Sum(message => message.Content.Length + (message.ReasoningContent?.Length ?? 0) + message.ToolCalls.Sum(call => (long)call.Arguments.Length) + message.Parts.Sum(part => (long)(part.Image?.Data.Length ?? 0)))
        + Body.Output.Sum(item => (item.Content?.Sum(part => (long)part.Text.Length) ?? 0) + (item.Arguments?.Length ?? 0) + (item.Input?.Length ?? 0))

        // What a response repeats of its request can be larger than all else.
        + (Body.Instructions?.Length ?? 0) + (Body.User?.Length ?? 0)
        + new[] { Body.Tools, Body.ToolChoice, Body.Text, Body.Reasoning, Body.Metadata }.Sum(element => (long)element.GetRawText().Length);
}
