using System.Globalization;
using System.Text.Json;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Turns goals into cases, and answers questions about them.</summary>
/// <param name="work">The budget.</param>
internal sealed class SchemaExpander(WorkBudget work)
{
    /// <summary>The maximum number of units of work of a conversion. One takes about as long as a transition of an automaton.</summary>
    public const long MaxWork = 50_000_000;

    private const long WorkOfStep = 500;
    private const long WorkOfPart = 20;
    private const int MaxNesting = 24;
    private const int MaxDepth = 400;
    private const int MaxLookAhead = 4;

    private readonly Dictionary<string, Expansion> _expansions = new(StringComparer.Ordinal);
    private readonly Dictionary<SchemaNode, ObjectLayer> _layers = [];
    private readonly HashSet<string> _empty = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _filled = new(StringComparer.Ordinal);
    private readonly HashSet<string> _open = new(StringComparer.Ordinal);
    private readonly List<Refusal> _doubts = [];
    private int _depth;

    /// <summary>Gets the budget of the whole conversion.</summary>
    public WorkBudget Work { get; } = work;

    /// <summary>Gets the patterns of the document.</summary>
    public PatternCache Patterns { get; } = new(work);

    /// <summary>Gets the automata of strings that were combined.</summary>
    public Dictionary<string, Dfa> Strings { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the validator of the values that schemas list.</summary>
    public SchemaValidator Validator => field ??= new SchemaValidator(Patterns);

    /// <summary>Gets the keywords that could not be evaluated for listed values.</summary>
    public IReadOnlyList<Refusal> Doubts => _doubts;

    /// <summary>Counts steps of work.</summary>
    /// <param name="steps">The number of steps.</param>
    /// <param name="parts">The number of parts, such as names or listed values, of what the step works on.</param>
    /// <exception cref="WorkLimitException">There were too many steps.</exception>
    public void Charge(int steps = 1, long parts = 0) => Work.Spend((steps * WorkOfStep) + (parts * WorkOfPart));

    /// <summary>Counts a schema that is applied inside another one.</summary>
    /// <exception cref="SchemaLimitException">The schemas are too deep inside each other for the stack.</exception>
    /// <exception cref="WorkLimitException">There were too many steps.</exception>
    public void Enter(SchemaNode schema)
    {
        Charge(0, schema.Weight);
        _depth = _depth < MaxDepth
            ? _depth + 1
            : throw new SchemaLimitException(string.Create(CultureInfo.InvariantCulture, $"it combines schemas that are more than {MaxDepth} levels deep; use shorter chains of references"));
    }

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    public void Leave() => _depth--;

    /// <summary>Returns the cases of a goal.</summary>
    public Expansion Expand(Goal goal)
    {
        if (_expansions.TryGetValue(goal.Key, out Expansion? known))
        {
            return known;
        }

        _open.Add(goal.Key);
        Expansion result;
        if (FindValues(goal) is { } values)
        {
            Charge(1, values.Count);
            result = new Expansion([Case.All with { Values = [.. values], Kinds = values.Aggregate(JsonKinds.None, (kinds, value) => kinds | JsonValues.KindOf(value)) }], []);
        }
        else
        {
            try
            {
                result = Expand(goal, new CaseContext(this));
            }
            catch (SchemaLimitException error)
            {
                result = Expand(goal, new CaseContext(this) { IsWithoutAlternatives = true });
                result = result with { Refusals = [.. result.Refusals, new Refusal(goal.Literals[0].Schema.Pointer, $"cannot be enforced: {error.Message}")] };
            }
        }

        _open.Remove(goal.Key);
        return _expansions[goal.Key] = result;
    }

    /// <summary>Determines whether it is certain that no value belongs to a case.</summary>
    public bool IsContradictory(Case it)
    {
        Charge();
        Work.Spend(it.Objects.Weight);
        return it.Kinds == JsonKinds.Object && it.Values is null && it.Objects.Required.Any(name => IsEmpty(it.Objects.MemberOf(name), depth: 1));
    }

    /// <summary>Determines whether a value meets all demands of a goal.</summary>
    public bool Allows(Goal goal, JsonElement value)
    {
        Charge();
        bool isAllowed = true;
        foreach (Literal literal in goal.Literals)
        {
            isAllowed &= Validator.Allows(literal.Schema, value, Work, out string? doubt) != literal.IsNegated;
            if (doubt is not null)
            {
                _doubts.Add(new Refusal(doubt, "cannot be evaluated for the values that the schema lists"));
            }
        }

        return isAllowed;
    }

    /// <summary>Determines whether it is certain that no value meets a goal.</summary>
    public bool IsEmpty(Goal goal, int depth = MaxLookAhead)
    {
        if (goal.IsImpossible || goal.IsTrivial || depth == 0)
        {
            return goal.IsImpossible;
        }

        // What is being expanded is not known yet.
        if (_empty.Contains(goal.Key))
        {
            return true;
        }

        if (_filled.GetValueOrDefault(goal.Key) >= depth || _open.Contains(goal.Key) || _open.Count > MaxNesting)
        {
            return false;
        }

        bool isEmpty = Expand(goal).Cases.All(it => IsEmpty(goal, it, depth - 1));
        if (isEmpty)
        {
            _empty.Add(goal.Key);
        }
        else
        {
            _filled[goal.Key] = Math.Max(depth, _filled.GetValueOrDefault(goal.Key));
        }

        return isEmpty;
    }

    /// <summary>Returns all values that meet a goal if they can be listed, or null.</summary>
    public IReadOnlyList<JsonElement>? ListValues(Goal goal)
    {
        List<JsonElement> values = [];
        foreach (Case it in Expand(goal).Cases)
        {
            if (it.Values is { } listed)
            {
                values.AddRange(listed);
                continue;
            }

            if ((it.Kinds & ~(JsonKinds.Null | JsonKinds.Boolean)) != 0)
            {
                return null;
            }

            values.AddRange(JsonConstants.Of(it.Kinds));
        }

        return [.. values.DistinctBy(JsonValues.KeyOf).Where(value => Allows(goal, value))];
    }

    /// <summary>Determines whether no value meets both schemas.</summary>
    public bool AreDisjoint(SchemaNode one, SchemaNode other) => IsEmpty(Goal.Of(new Literal(one, false), new Literal(other, false)));

    /// <summary>Returns what a schema demands of the members of an object, or null if it demands nothing.</summary>
    public ObjectLayer? LayerOf(SchemaNode schema, CaseContext context)
    {
        if (!schema.Has("properties") && !schema.Has("patternProperties") && !schema.Has("additionalProperties"))
        {
            return null;
        }

        if (_layers.TryGetValue(schema, out ObjectLayer? known))
        {
            return known;
        }

        int refusals = context.Refusals.Count;
        ObjectLayer layer = MakeLayer(schema, context);
        if (refusals == context.Refusals.Count)
        {
            _layers.Add(schema, layer);
        }

        return layer;
    }

    private static Expansion Expand(Goal goal, CaseContext context)
    {
        List<Case> cases = [Case.All];
        foreach (Literal literal in goal.Literals)
        {
            cases = context.Apply(literal, cases);
        }

        return new Expansion(cases, [.. context.Refusals.Distinct()]);
    }

    private ObjectLayer MakeLayer(SchemaNode schema, CaseContext context)
    {
        var properties = new Dictionary<string, Literal>(StringComparer.Ordinal);
        List<string> names = [];
        foreach ((string name, SchemaNode part) in schema.Map("properties"))
        {
            properties[name] = new Literal(part, false);
            names.Add(name);
        }

        List<(string, Dfa, Literal)> patterns = [];
        bool isWhole = true;
        foreach ((string pattern, SchemaNode part) in schema.Map("patternProperties"))
        {
            if (Patterns.Compile(pattern) is { Language: { } language })
            {
                patterns.Add((pattern, language, new Literal(part, false)));
                continue;
            }

            isWhole = false;
            context.Refuse(schema, "patternProperties", $"has the pattern {pattern}, which cannot be enforced: {Patterns.Compile(pattern).Error}");
        }

        foreach (string keyword in (ReadOnlySpan<string>)["properties", "patternProperties"])
        {
            if (!schema.IsMap(keyword))
            {
                context.Refuse(schema, keyword, "is not an object of schemas");
            }
        }

        SchemaNode? additional = schema.Child("additionalProperties");
        if (schema.Has("additionalProperties") && additional is null)
        {
            context.Refuse(schema, "additionalProperties", "is neither a schema nor a boolean");
        }

        return new ObjectLayer
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"n{schema.Id}"),
            Names = names,
            Properties = properties,
            Patterns = patterns,
            Additional = isWhole && additional is not null ? new Literal(additional, false) : null,
        };
    }

    private bool IsEmpty(Goal goal, Case it, int depth)
    {
        Charge();
        Work.Spend(it.Objects.Weight);
        if (it.Values is { } values)
        {
            return !values.Any(value => Allows(goal, value));
        }

        return (it.Kinds & ~JsonKinds.Object & ~JsonKinds.String) == 0
            && (!it.Kinds.HasFlag(JsonKinds.String) || IsEmpty(it.Strings))
            && (!it.Kinds.HasFlag(JsonKinds.Object) || it.Objects.Required.Any(name => IsEmpty(it.Objects.MemberOf(name), depth)));
    }

    private bool IsEmpty(StringFacts facts)
    {
        try
        {
            return StringLanguages.Combine(facts, this) is { Count: 0 };
        }
        catch (FormatException)
        {
            return false;
        }
    }

    // Finds values that a demand lists, which must meet the others: no alternatives are needed then.
    private IReadOnlyList<JsonElement>? FindValues(Goal goal)
    {
        foreach (Literal literal in goal.Literals)
        {
            if (!literal.IsNegated && FindValues(literal.Schema, 0) is { } values)
            {
                return values;
            }
        }

        return null;
    }

    private IReadOnlyList<JsonElement>? FindValues(SchemaNode schema, int depth)
    {
        Work.Spend(WorkOfPart * (1 + schema.Weight));
        if (depth > 8)
        {
            return null;
        }

        bool isReference = schema.Has("$ref");
        if (schema.Values() is { } values && (!isReference || !schema.Document.HidesSiblingsOfReferences))
        {
            return values;
        }

        return SchemaReferences.Find(schema, "$ref") is { } target ? FindValues(target, depth + 1)
            : (isReference ? null : schema.List("allOf"))?.Select(part => FindValues(part, depth + 1)).FirstOrDefault(found => found is not null);
    }
}
