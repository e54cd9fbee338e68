using System.Runtime.InteropServices;
using MoeOffload.Inference.Speculation;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>
/// Fills the batch of one step: the next token of every generation first, then prompts, of one priority those first of which the least is
/// left. While others wait, prompts get no more than a limit, which bounds how long they can delay them; and once half of that is taken
/// no other is begun: each first token comes sooner when it does not wait for the prompts of others.
/// </summary>
/// <param name="promptLimit">Most prompt tokens of a step in which another generation waits.</param>
/// <param name="speculation">How tokens are guessed, or null.</param>
/// <param name="drafter">What guesses them, or null for a lookup.</param>
internal sealed class BatchPacker(int promptLimit, SpeculationOptions? speculation, IDrafter? drafter)
{
    // So many steps a prompt may be passed over before it comes first: none is starved.
    private const int Patience = 4;

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
        GivePrompts(_decoding.Count + _prompts.Count > 1 ? Math.Min(room, promptLimit) : room);
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

    private static bool IsBehind(TokenChannel one, TokenChannel other) =>
        one.Generation.Priority != other.Generation.Priority
            ? one.Generation.Priority < other.Generation.Priority
            : Rest(one.Generation) > Rest(other.Generation);

    private static int Rest(Generation generation) => generation.StepsPassedOver < Patience ? generation.PendingCount : 0;

    private void GivePrompts(int room)
    {
        int enough = (room + 1) / 2;
        foreach (TokenChannel channel in _prompts)
        {
            int given = enough > 0 ? Give(channel, room) : 0;
            enough -= given;
            room -= given;
            channel.Generation.StepsPassedOver = given > 0 ? 0 : channel.Generation.StepsPassedOver + 1;
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
