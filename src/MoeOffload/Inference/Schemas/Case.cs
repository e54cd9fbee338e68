using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Represents values without alternatives: for each kind of value, facts that hold together. A schema is a list of cases, of which a value must
/// meet one.
/// </summary>
internal sealed record Case
{
    /// <summary>Gets the case of all values.</summary>
    public static Case All { get; } = new();

    /// <summary>Gets the kinds of values.</summary>
    public JsonKinds Kinds { get; init; } = JsonKinds.All;

    /// <summary>Gets the only values, or null if they are not listed. They need not meet the facts.</summary>
    public ImmutableList<JsonElement>? Values { get; init; }

    /// <summary>Gets the facts about numbers.</summary>
    public NumberFacts Numbers { get; init; } = new();

    /// <summary>Gets the facts about strings.</summary>
    public StringFacts Strings { get; init; } = new();

    /// <summary>Gets the facts about arrays.</summary>
    public ArrayFacts Arrays { get; init; } = new();

    /// <summary>Gets the facts about objects.</summary>
    public ObjectFacts Objects { get; init; } = new();

    /// <summary>Returns the case without the kinds that its facts exclude, or null if none is left.</summary>
    public Case? Reduced()
    {
        JsonKinds kinds = Kinds
            & ~(Numbers.IsContradictory ? JsonKinds.Number : JsonKinds.None)
            & ~(Strings.Least > Strings.Most ? JsonKinds.String : JsonKinds.None)
            & ~(Arrays.Least > Arrays.Most ? JsonKinds.Array : JsonKinds.None)
            & ~(Objects.Least > Objects.Most || Objects.Required.Count > Objects.Most ? JsonKinds.Object : JsonKinds.None);
        return kinds == JsonKinds.None || Values is { Count: 0 } ? null : this with { Kinds = kinds };
    }
}

/// <summary>Represents facts about numbers.</summary>
internal sealed record NumberFacts
{
    /// <summary>Gets the lower bound, and whether it is itself excluded.</summary>
    public (ExactNumber Value, bool IsOpen)? Least { get; private init; }

    /// <summary>Gets the upper bound, and whether it is itself excluded.</summary>
    public (ExactNumber Value, bool IsOpen)? Most { get; private init; }

    /// <summary>Gets the numbers of which the number is a multiple.</summary>
    public ImmutableList<ExactNumber> Divisors { get; init; } = [];

    /// <summary>Gets the numbers of which the number is not a multiple.</summary>
    public ImmutableList<ExactNumber> NonDivisors { get; init; } = [];

    /// <summary>Gets the excluded numbers.</summary>
    public ImmutableList<ExactNumber> Excluded { get; init; } = [];

    /// <summary>Gets a value that indicates whether no number is within the bounds.</summary>
    public bool IsContradictory => Least is { } least && Most is { } most
        && (least.Value.CompareTo(most.Value) is var order && (order > 0 || (order == 0 && (least.IsOpen || most.IsOpen))));

    /// <summary>Gets the text that identifies the facts. It is empty if there are none.</summary>
    public string Key => Least is null && Most is null && Divisors.IsEmpty && NonDivisors.IsEmpty && Excluded.IsEmpty
        ? string.Empty : $"{Least} {Most} {string.Join(',', Divisors)} {string.Join(',', NonDivisors)} {string.Join(',', Excluded)}";

    /// <summary>Returns the facts with another lower bound.</summary>
    public NumberFacts From(ExactNumber value, bool isOpen) =>
        Least is { } known && (known.Value.CompareTo(value) is var order && (order > 0 || (order == 0 && known.IsOpen))) ? this : this with { Least = (value, isOpen) };

    /// <summary>Returns the facts with another upper bound.</summary>
    public NumberFacts To(ExactNumber value, bool isOpen) =>
        Most is { } known && (known.Value.CompareTo(value) is var order && (order < 0 || (order == 0 && known.IsOpen))) ? this : this with { Most = (value, isOpen) };
}

/// <summary>Represents facts about strings.</summary>
internal sealed record StringFacts
{
    /// <summary>Gets the minimum length, in code points.</summary>
    public int Least { get; init; }

    /// <summary>Gets the maximum length, or null if there is none.</summary>
    public int? Most { get; init; }

    /// <summary>Gets the languages that contain the string, each with a text that identifies it.</summary>
    public ImmutableList<(string Key, Dfa Language)> Languages { get; init; } = [];

    /// <summary>Gets the text that identifies the facts. It is empty if there are none.</summary>
    public string Key => Least == 0 && Most is null && Languages.IsEmpty
        ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"{Least} {Most} {string.Join('\n', Languages.Select(language => language.Key).Distinct().Order(StringComparer.Ordinal))}");
}

/// <summary>Represents facts about arrays.</summary>
internal sealed record ArrayFacts
{
    /// <summary>Gets what schemas demand of the items.</summary>
    public ImmutableList<ArrayLayer> Layers { get; init; } = [];

    /// <summary>Gets the minimum number of items.</summary>
    public int Least { get; init; }

    /// <summary>Gets the maximum number of items, or null if there is none.</summary>
    public int? Most { get; init; }

    /// <summary>Gets a value that indicates whether no two items are equal.</summary>
    public bool IsUnique { get; init; }

    /// <summary>Gets the demands that a number of items must meet.</summary>
    public ImmutableList<(Literal Demand, int Least, int? Most)> Contains { get; init; } = [];

    /// <summary>Gets the text that identifies the facts. It is empty if there are none.</summary>
    public string Key => Layers.IsEmpty && Least == 0 && Most is null && !IsUnique && Contains.IsEmpty
        ? string.Empty
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{Least} {Most} {IsUnique} {string.Join(';', Layers.Select(layer => layer.Key))} {string.Join(';', Contains.Select(it => $"{it.Demand.Key} {it.Least} {it.Most}"))}");

    /// <summary>Returns what an item must satisfy.</summary>
    public Goal ItemAt(int index) => Goal.Of(Layers.Select(layer => index < layer.Prefix.Count ? layer.Prefix[index] : layer.Rest).OfType<Literal>());
}

/// <summary>Represents what a schema demands of the items of an array.</summary>
/// <param name="Prefix">The demands on the first items.</param>
/// <param name="Rest">The demand on the others, or null if there is none.</param>
/// <param name="IsEvaluated">Whether the schema has looked at these items, for the keyword <c>unevaluatedItems</c>.</param>
internal sealed record ArrayLayer(IReadOnlyList<Literal> Prefix, Literal? Rest, bool IsEvaluated)
{
    /// <summary>Gets the text that identifies the demands.</summary>
    public string Key => $"{string.Join(',', Prefix.Select(literal => literal.Key))}+{Rest?.Key}";
}

/// <summary>Represents facts about objects.</summary>
internal sealed record ObjectFacts
{
    /// <summary>Gets what schemas demand of the members.</summary>
    public ImmutableList<ObjectLayer> Layers { get; init; } = [];

    /// <summary>Gets the names of members that must be there.</summary>
    public ImmutableList<string> Required { get; init; } = [];

    /// <summary>Gets the minimum number of members.</summary>
    public int Least { get; init; }

    /// <summary>Gets the maximum number of members, or null if there is none.</summary>
    public int? Most { get; init; }

    /// <summary>Gets the demands on the names.</summary>
    public ImmutableList<Literal> Names { get; init; } = [];

    /// <summary>Gets the text that identifies the facts. It is empty if there are none.</summary>
    public string Key => Layers.IsEmpty && Required.IsEmpty && Least == 0 && Most is null && Names.IsEmpty
        ? string.Empty
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{Least} {Most} {JsonValues.Write(string.Join('\n', Required))} {string.Join(',', Names.Select(literal => literal.Key))} {string.Join(';', Layers.Select(layer => layer.Id))}");

    /// <summary>Gets the number of parts that are looked at to find out what the required members must satisfy.</summary>
    public long Weight => Required.Count * (1L + Layers.Sum(layer => 1L + layer.Patterns.Count));

    /// <summary>Returns the facts with names that must be there.</summary>
    public ObjectFacts Requiring(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
        {
            return this;
        }

        HashSet<string> known = new(Required, StringComparer.Ordinal);
        return this with { Required = Required.AddRange(names.Where(known.Add)) };
    }

    /// <summary>Returns the facts with a demand on a member.</summary>
    public ObjectFacts With(string name, Literal demand) => this with { Layers = Layers.Add(ObjectLayer.Of(name, demand)) };

    /// <summary>Returns what a member must satisfy.</summary>
    public Goal MemberOf(string name) => Goal.Of(Layers.SelectMany(layer => layer.DemandsOn(name)));
}
