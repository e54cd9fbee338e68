using MoeOffload.Chat;

namespace MoeOffload.Extensions.AI;

/// <summary>Keeps the messages of the conversations that were used most recently. Instances are thread-safe.</summary>
/// <param name="capacity">The maximum number of conversations.</param>
/// <remarks>
/// Each response has an id of its own, so that a conversation can be continued from any of its responses. The messages are never changed, and a
/// later response refers to those of the earlier ones.
/// </remarks>
internal sealed class ConversationStore(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<(string Id, IReadOnlyList<ChatMessage> Messages)>> _byId = [];
    private readonly LinkedList<(string Id, IReadOnlyList<ChatMessage> Messages)> _byUse = [];

    /// <summary>Returns the messages up to a response, including it, or null if there is no such response.</summary>
    public IReadOnlyList<ChatMessage>? Find(string id)
    {
        lock (_gate)
        {
            if (!_byId.TryGetValue(id, out LinkedListNode<(string Id, IReadOnlyList<ChatMessage> Messages)>? node))
            {
                return null;
            }

            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Messages;
        }
    }

    /// <summary>Keeps the messages up to a response, including it.</summary>
    public void Keep(string id, IReadOnlyList<ChatMessage> messages)
    {
        lock (_gate)
        {
            _byId[id] = _byUse.AddFirst((id, messages));
            if (_byUse.Count > capacity)
            {
                _byId.Remove(_byUse.Last!.Value.Id);
                _byUse.RemoveLast();
            }
        }
    }
}
