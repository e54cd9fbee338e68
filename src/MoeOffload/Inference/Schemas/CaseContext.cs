using System.Globalization;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents the work on the cases of one goal.</summary>
/// <param name="expander">The expander.</param>
internal sealed class CaseContext(SchemaExpander expander)
{
    /// <summary>The maximum number of cases of a goal.</summary>
    public const int MaxCases = 256;

    // From here on, it is worth looking for cases that cannot occur.
    private const int ManyCases = 16;

    private const int MaxDepth = 200;

    private readonly HashSet<Literal> _open = [];

    /// <summary>Gets the expander.</summary>
    public SchemaExpander Expander => expander;

    /// <summary>Gets the keywords that were left out.</summary>
    public List<Refusal> Refusals { get; private set; } = [];

    /// <summary>Records that a keyword is left out.</summary>
    public void Refuse(SchemaNode schema, string keyword, string reason) => Refusals.Add(new Refusal(schema.At(keyword), reason));

    /// <summary>Adds a demand to cases.</summary>
    public List<Case> Apply(Literal demand, IReadOnlyList<Case> cases)
    {
        List<Case> result = [];
        foreach (Case it in cases)
        {
            expander.Charge();
            result.AddRange(Apply(demand, it));
            if (result.Count > MaxCases)
            {
                Limit(result);
            }
        }

        Limit(result);
        return result;
    }

    /// <summary>Adds a demand to cases, unless that leaves out a keyword.</summary>
    /// <returns>The cases, or null if a keyword would be left out.</returns>
    public List<Case>? TryApply(Literal demand, IReadOnlyList<Case> cases)
    {
        List<Refusal> known = Refusals;
        Refusals = [];
        List<Case> result = Apply(demand, cases);
        bool isWhole = Refusals.Count == 0;
        Refusals = known;
        return isWhole ? result : null;
    }

    /// <summary>Gets or sets a value that indicates whether keywords that lead to several cases are left out.</summary>
    public bool IsWithoutAlternatives { get; set; }

    /// <summary>Removes cases that cannot occur if there are many, and checks that the number of the others is within the limit.</summary>
    /// <exception cref="SchemaLimitException">There are too many cases.</exception>
    public void Limit(List<Case> cases)
    {
        if (cases.Count > ManyCases)
        {
            cases.RemoveAll(expander.IsContradictory);
        }

        if (cases.Count > MaxCases)
        {
            throw new SchemaLimitException(string.Create(
                CultureInfo.InvariantCulture, $"its alternatives can be combined in more than {MaxCases} ways; nest fewer of them"));
        }
    }

    private List<Case> Apply(Literal demand, Case it)
    {
        if (demand.IsTrivial || demand.IsImpossible)
        {
            return demand.IsTrivial ? [it] : [];
        }

        if (_open.Count >= MaxDepth || !_open.Add(demand))
        {
            Refuse(demand.Schema, "$ref", "leads back to itself without a property or an item between, which allows nothing that could be checked; remove it");
            return [it];
        }

        expander.Enter(demand.Schema);
        try
        {
            return demand.IsNegated ? new NegativeCases(this, demand.Schema).Add(it) : new PositiveCases(this, demand.Schema).Add(it);
        }
        finally
        {
            expander.Leave();
            _open.Remove(demand);
        }
    }
}
