namespace MoeOffload.Games.Conversations;

/// <summary>Represents what a character remembers. Instances are thread-safe.</summary>
internal sealed class History
{
    private readonly Lock _gate = new();
    private ConversationTurn[] _turns = [];

    /// <summary>Gets the turns, the oldest first. The array does not change.</summary>
    public ConversationTurn[] Turns => Volatile.Read(ref _turns);

    /// <summary>Adds a turn.</summary>
    public void Add(ConversationTurn turn)
    {
        lock (_gate)
        {
            Volatile.Write(ref _turns, [.. _turns, turn]);
        }
    }

    /// <summary>Replaces all turns.</summary>
    public void Replace(ConversationTurn[] turns)
    {
        lock (_gate)
        {
            Volatile.Write(ref _turns, turns);
        }
    }

    /// <summary>
    /// Forgets the oldest turns if all of them together are longer than a budget: as many as it takes to leave a quarter of it free, so that the
    /// next prompts begin in the same way, and their beginning is in the prefix cache.
    /// </summary>
    /// <param name="budget">The maximum number of tokens.</param>
    /// <param name="brain">Counts the tokens.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    public async Task<ConversationTurn[]> FitAsync(int budget, ICharacterBrain brain, CancellationToken cancellationToken)
    {
        ConversationTurn[] turns = Turns;
        int[] counts = new int[turns.Length];
        for (int i = 0; i < turns.Length; i++)
        {
            counts[i] = await turns[i].CountTokensAsync(brain, cancellationToken).ConfigureAwait(false);
        }

        long total = counts.Sum(count => (long)count);
        if (total <= budget)
        {
            return turns;
        }

        int forgotten = 0;
        for (long rest = budget - (budget / 4); total > rest && forgotten < turns.Length; forgotten++)
        {
            total -= counts[forgotten];
        }

        lock (_gate)
        {
            // A save may have been loaded in the meantime.
            if (_turns.Length >= forgotten && ReferenceEquals(_turns[forgotten - 1], turns[forgotten - 1]))
            {
                Volatile.Write(ref _turns, _turns[forgotten..]);
            }
        }

        return turns[forgotten..];
    }
}
