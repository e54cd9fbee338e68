using System.Runtime.InteropServices;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Fills the batch of one step: the next token of every generation first, then parts of the prompts. While others decode, prompts get no
/// more than a limit, which bounds how long they can delay them; prompts of one priority share what there is evenly.
/// </summary>
/// <param name="promptLimit">Most prompt tokens of a step in which a generation decodes.</param>
/// <param name="speculation">How tokens are guessed, or null.</param>
internal sealed class BatchPacker(int promptLimit, SpeculationOptions? speculation)
{
    private readonly List<TokenChannel> _prompts = [];

    /// <summary>Packs what can be computed now.</summary>
    /// <param name="context">Whose batch is filled; it is empty.</param>
    /// <param name="running">The requests that have a place, in the order of their arrival.</param>
    /// <param name="batched">Gets those that the batch holds something of.</param>
    public void Pack(NativeContext context, IReadOnlyList<TokenChannel> running, List<TokenChannel> batched)
    {
        _prompts.Clear();
        int draftRoom = context.BatchSize - running.Count;
        for (int i = 0; i < running.Count; i++)
        {
            TokenChannel channel = running[i];
            Generation generation = channel.Generation;
            generation.BatchedCount = 0;
            generation.LogitsIndex = -1;
            generation.Draft.Clear();
            if (generation.HasEnded)
            {
                continue;
            }

            if (generation.PendingCount > 1)
            {
                AddPrompt(channel);
            }
            else if (channel.HasRoom() && context.BatchCount < context.BatchSize)
            {
                Add(context, generation, 1);
                draftRoom -= AddDraft(context, channel, draftRoom);
                batched.Add(channel);
            }
        }

        PackPrompts(context, batched);
    }

    private static int Wanted(TokenChannel channel) =>
        channel.Generation.PendingCount - (channel.HasRoom() ? 0 : 1); // its last token yields one, which must have room

    private static void Add(NativeContext context, Generation generation, int count)
    {
        SequenceSlot sequence = generation.Sequence;
        bool isLast = count == generation.PendingCount;
        for (int i = 0; i < count; i++)
        {
            int position = sequence.Count + i;
            context.Add(sequence.Tokens[position], position, sequence.Id, isLast && i == count - 1);
        }

        generation.BatchedCount = count;
        generation.LogitsIndex = isLast ? context.BatchCount - 1 : -1;
    }

    private int AddDraft(NativeContext context, TokenChannel channel, int room)
    {
        Generation generation = channel.Generation;
        if (speculation is null || !generation.MayDraft)
        {
            return 0;
        }

        SequenceSlot sequence = generation.Sequence;
        int most = Math.Min(Math.Min(room, speculation.MaxDraftTokens), generation.DraftRoom(context.SequenceLength, channel.Room));
        if (most > 0)
        {
            generation.Draft.AddRange(PromptLookup.Find(CollectionsMarshal.AsSpan(sequence.Tokens), speculation, most));
        }

        for (int i = 0; i < generation.Draft.Count; i++)
        {
            context.Add(generation.Draft[i], sequence.Count + 1 + i, sequence.Id, wantsLogits: true);
        }

        generation.BatchedCount += generation.Draft.Count;
        return generation.Draft.Count;
    }

    private void AddPrompt(TokenChannel channel)
    {
        int at = _prompts.Count;
        while (at > 0 && _prompts[at - 1].Generation.Priority < channel.Generation.Priority)
        {
            at--;
        }

        _prompts.Insert(at, channel);
    }

    private void PackPrompts(NativeContext context, List<TokenChannel> batched)
    {
        int room = context.BatchSize - context.BatchCount;
        room = context.BatchCount > 0 ? Math.Min(room, promptLimit) : room;
        for (int first = 0, end; first < _prompts.Count; first = end)
        {
            end = first + 1;
            while (end < _prompts.Count && _prompts[end].Generation.Priority == _prompts[first].Generation.Priority)
            {
                end++;
            }

            room -= Share(first, end, room);
        }

        foreach (TokenChannel channel in _prompts)
        {
            if (channel.Generation.BatchedCount is int count and > 0)
            {
                Add(context, channel.Generation, count);
                batched.Add(channel);
            }
        }
    }

    // Evenly, and what one does not need goes to the others.
    private int Share(int first, int end, int room)
    {
        int left = room;
        for (int wanting = end - first; left > 0 && wanting > 0;)
        {
            int share = Math.Max(1, left / wanting);
            wanting = 0;
            for (int i = first; i < end; i++)
            {
                Generation generation = _prompts[i].Generation;
                int wanted = Wanted(_prompts[i]) - generation.BatchedCount;
                int given = Math.Min(Math.Min(wanted, share), left);
                generation.BatchedCount += given;
                left -= given;
                wanting += wanted > given ? 1 : 0;
            }
        }

        return room - left;
    }
}
