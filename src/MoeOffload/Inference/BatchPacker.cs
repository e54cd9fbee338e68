using System.Runtime.InteropServices;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Fills the batch of one step: the next token of every generation first, then parts of the prompts. While others decode, prompts get no
/// more than a limit, which bounds how long they can delay them. Of one priority, the prompt that waits the longest gets half of what there
/// is, so that none is starved; the rest goes to the others one after the other, those first that one step can hold.
/// </summary>
/// <param name="promptLimit">Most prompt tokens of a step in which a generation decodes.</param>
/// <param name="speculation">How tokens are guessed, or null.</param>
/// <param name="drafter">What guesses them, or null for a lookup.</param>
internal sealed class BatchPacker(int promptLimit, SpeculationOptions? speculation, IDrafter? drafter)
{
    private readonly List<Generation> _decoding = [];
    private readonly List<TokenChannel> _prompts = [];

    /// <summary>Packs what can be computed now.</summary>
    /// <param name="context">Whose batch is filled; it is empty.</param>
    /// <param name="running">The requests that have a place, in the order of their arrival.</param>
    /// <param name="batched">Gets those that the batch holds something of, in the order of their sequences.</param>
    public void Pack(NativeContext context, IReadOnlyList<TokenChannel> running, List<TokenChannel> batched)
    {
        _prompts.Clear();
        _decoding.Clear();
        int draftRoom = context.BatchSize - running.Count;
        for (int i = 0; i < running.Count; i++)
        {
            TokenChannel channel = running[i];
            Generation generation = channel.Generation;
            generation.ClearStep();
            if (!generation.HasEnded && generation.PendingCount > 1)
            {
                Insert(_prompts, channel, IsBehind);
            }
            else if (!generation.HasEnded && channel.HasRoom())
            {
                generation.DraftLimit = Math.Max(0, Math.Min(draftRoom, generation.DraftRoom(context.SequenceLength, channel.Room)));
                draftRoom -= generation.DraftLimit;
                _decoding.Add(generation);
            }
        }

        int room = context.BatchSize - PackDecoding();
        SharePrompts(_decoding.Count > 0 ? Math.Min(room, promptLimit) : room);
        for (int i = 0; i < running.Count; i++)
        {
            if (running[i].Generation.BatchedCount > 0)
            {
                // Where sequences have caches of their own, llama.cpp computes those together that follow each other by number.
                Insert(batched, running[i], (other, it) => other.Generation.Sequence.Id > it.Generation.Sequence.Id);
            }
        }

        foreach (TokenChannel channel in batched)
        {
            Add(context, channel.Generation);
        }
    }

    // Before those at the end that must come after it.
    private static void Insert(List<TokenChannel> list, TokenChannel channel, Func<TokenChannel, TokenChannel, bool> isAfter)
    {
        int at = list.Count;
        while (at > 0 && isAfter(list[at - 1], channel))
        {
            at--;
        }

        list.Insert(at, channel);
    }

    private static void Add(NativeContext context, Generation generation)
    {
        SequenceSlot sequence = generation.Sequence;
        int known = generation.BatchedCount - generation.Draft.Count;
        bool isLast = known == generation.PendingCount;
        generation.LogitsIndex = isLast ? context.BatchCount + known - 1 : -1;
        for (int i = 0; i < generation.BatchedCount; i++)
        {
            int position = sequence.Count + i;
            int token = i < known ? sequence.Tokens[position] : generation.Draft[i - known];
            context.Add(token, position, sequence.Id, wantsLogits: isLast && i >= known - 1);
        }
    }

    private int PackDecoding()
    {
        if (drafter is not null)
        {
            drafter.Guess(_decoding);
        }
        else if (speculation is not null)
        {
            LookUp(speculation);
        }

        int packed = 0;
        foreach (Generation generation in _decoding)
        {
            generation.BatchedCount = 1 + generation.Draft.Count;
            packed += generation.BatchedCount;
        }

        return packed;
    }

    private void LookUp(SpeculationOptions options)
    {
        foreach (Generation generation in _decoding)
        {
            generation.Draft.AddRange(
                PromptLookup.Find(CollectionsMarshal.AsSpan(generation.Sequence.Tokens), options, generation.DraftLimit));
        }
    }

    // In the order of their arrival they also follow each other by number, as a rule: llama.cpp then computes more of them together.
    private bool IsBehind(TokenChannel one, TokenChannel other) =>
        one.Generation.Priority != other.Generation.Priority
            ? one.Generation.Priority < other.Generation.Priority
            : one.Generation.PendingCount > promptLimit && other.Generation.PendingCount <= promptLimit;

    private void SharePrompts(int room)
    {
        for (int first = 0, end; first < _prompts.Count; first = end)
        {
            end = first + 1;
            TokenChannel oldest = _prompts[first];
            for (; end < _prompts.Count && _prompts[end].Generation.Priority == oldest.Generation.Priority; end++)
            {
                oldest = _prompts[end].Generation.BeginTimestamp < oldest.Generation.BeginTimestamp ? _prompts[end] : oldest;
            }

            room -= Give(oldest, (room + 1) / 2);
            for (int i = first; i < end; i++)
            {
                room -= _prompts[i] == oldest ? 0 : Give(_prompts[i], room);
            }

            room -= Give(oldest, room);
        }
    }

    private static int Give(TokenChannel channel, int room)
    {
        // A prompt's last token yields one, which must have room.
        Generation generation = channel.Generation;
        int wanted = generation.PendingCount - (channel.HasRoom() ? 0 : 1) - generation.BatchedCount;
        int given = Math.Min(wanted, room);
        generation.BatchedCount += given;
        return given;
    }
}
