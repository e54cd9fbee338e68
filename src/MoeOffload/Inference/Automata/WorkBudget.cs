using System.Globalization;

namespace MoeOffload.Inference.Automata;

/// <summary>
/// Counts work in units that take about the same time, such as the transitions of an automaton, so that what is hostile ends after the same amount of
/// work on every machine. Instances are not thread-safe.
/// </summary>
/// <param name="limit">The maximum number of units.</param>
internal sealed class WorkBudget(long limit)
{
    /// <summary>Gets the number of units that were spent.</summary>
    public long Spent { get; private set; }

    /// <summary>Gets a value that indicates whether all units were spent.</summary>
    public bool IsSpent => Spent > limit;

    /// <summary>Counts work, before it is done.</summary>
    /// <param name="units">The number of units.</param>
    /// <exception cref="WorkLimitException">All units were spent.</exception>
    public void Spend(long units)
    {
        Spent += units;
        if (IsSpent)
        {
            throw new WorkLimitException(string.Create(CultureInfo.InvariantCulture, $"it takes more than {limit} units of work to convert; use fewer combinations of schemas and shorter repetitions"));
        }
    }
}

/// <summary>The exception that is thrown if something takes more work than is allowed.</summary>
/// <param name="message">The message.</param>
internal class WorkLimitException(string message) : Exception(message);
