using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>Makes room in a full sequence: keeps its first tokens and forgets the older half of the others.</summary>
internal static class ContextShift
{
    /// <summary>Makes room.</summary>
    /// <param name="context">The context.</param>
    /// <param name="sequence">A sequence of which all tokens but the last one are in the KV cache.</param>
    /// <param name="keep">How many of its first tokens stay.</param>
    public static void Apply(NativeContext context, SequenceSlot sequence, int keep)
    {
        keep = Math.Clamp(keep, 0, sequence.Count - 2);
        int discarded = (sequence.Count - keep) / 2;

        // A shared cell has one position for all that share it: what follows is computed again then, into cells of its own.
        if (sequence.SharedCount > keep || !context.Discard(sequence.Id, keep, keep + discarded))
        {
            context.Remove(sequence.Id, keep);
            sequence.Discard(keep, discarded, keep);
            return;
        }

        sequence.Discard(keep, discarded, sequence.Count - discarded);
    }
}
