namespace MoeOffload.Inference.Schemas;

/// <summary>Represents the demand that a value satisfies a schema, or that it does not.</summary>
internal readonly record struct Literal(SchemaNode Schema, bool IsNegated)
{
    /// <summary>Gets a value that indicates whether every value meets the demand.</summary>
    public bool IsTrivial => IsNegated ? Schema.IsFalse : Schema.IsTrue;

    /// <summary>Gets a value that indicates whether no value meets the demand.</summary>
    public bool IsImpossible => IsNegated ? Schema.IsTrue : Schema.IsFalse;

    /// <summary>Gets the text that identifies the demand.</summary>
    public string Key => IsNegated ? $"!{Schema.Id}" : $"{Schema.Id}";
}

/// <summary>Represents demands that a value must meet together.</summary>
internal sealed class Goal
{
    private Goal(Literal[] literals)
    {
        Literals = literals;
        Key = string.Join(',', literals.Select(literal => literal.Key));
    }

    /// <summary>Gets the demands, without those that every value meets.</summary>
    public IReadOnlyList<Literal> Literals { get; }

    /// <summary>Gets the text that identifies the goal.</summary>
    public string Key { get; }

    /// <summary>Gets a value that indicates whether every value meets the demands.</summary>
    public bool IsTrivial => Literals.Count == 0;

    /// <summary>Gets a value that indicates whether it is plain that no value meets the demands.</summary>
    public bool IsImpossible => Literals is [{ IsImpossible: true }];

    /// <summary>Creates a goal.</summary>
    public static Goal Of(params IEnumerable<Literal> literals)
    {
        Literal[] all = [.. literals.Where(literal => !literal.IsTrivial).DistinctBy(literal => literal.Key).OrderBy(literal => literal.Schema.Id).ThenBy(literal => literal.IsNegated)];
        foreach (Literal literal in all)
        {
            if (literal.IsImpossible || Array.Exists(all, other => other.Schema == literal.Schema && other.IsNegated != literal.IsNegated))
            {
                return new Goal([new Literal(literal.Schema.Document.False, IsNegated: false)]);
            }
        }

        return new Goal(all);
    }
}
