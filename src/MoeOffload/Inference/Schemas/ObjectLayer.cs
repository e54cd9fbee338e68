using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents what a schema demands of the members of an object.</summary>
internal sealed record ObjectLayer
{
    /// <summary>Gets the text that identifies the layer.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the names of declared members, in their order.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Gets the demands on the declared members.</summary>
    public IReadOnlyDictionary<string, Literal> Properties { get; init; } = new Dictionary<string, Literal>();

    /// <summary>Gets the demands on members by the pattern of their names.</summary>
    public IReadOnlyList<(string Pattern, Dfa Language, Literal Demand)> Patterns { get; init; } = [];

    /// <summary>Gets the demand on all other members, or null if there is none.</summary>
    public Literal? Additional { get; init; }

    /// <summary>Gets a value that indicates whether the schema has looked at these members, for the keyword <c>unevaluatedProperties</c>.</summary>
    public bool IsEvaluated { get; init; } = true;

    /// <summary>Creates a demand on one member.</summary>
    public static ObjectLayer Of(string name, Literal demand) => new()
    {
        Id = $"{JsonValues.Write(name)}={demand.Key}",
        Names = demand.IsImpossible ? [] : [name],
        Properties = new Dictionary<string, Literal>(StringComparer.Ordinal) { [name] = demand },
        IsEvaluated = false,
    };

    /// <summary>Returns the demands on a member.</summary>
    public IEnumerable<Literal> DemandsOn(string name)
    {
        bool isOther = true;
        if (Properties.TryGetValue(name, out Literal own))
        {
            isOther = false;
            yield return own;
        }

        foreach ((_, Dfa language, Literal demand) in Patterns)
        {
            if (language.Matches(name))
            {
                isOther = false;
                yield return demand;
            }
        }

        if (isOther && Additional is { } additional)
        {
            yield return additional;
        }
    }
}
