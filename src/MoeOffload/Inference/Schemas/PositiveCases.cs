using System.Collections.Immutable;
using System.Text.Json;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Adds to a case that its values satisfy a schema.</summary>
internal sealed class PositiveCases(CaseContext context, SchemaNode schema)
{
    /// <summary>Returns the cases that remain.</summary>
    public List<Case> Add(Case before)
    {
        List<Case> cases = [before];
        if (!schema.Document.HidesSiblingsOfReferences || !schema.Has("$ref"))
        {
            CheckKeywords();
            if (AddFacts(before) is not { } it)
            {
                return [];
            }

            cases = [it];
            cases = context.IsWithoutAlternatives ? AddAll(cases) : AddDependencies(AddCombinations(AddAll(cases)));
        }

        foreach (string keyword in SchemaReferences.Keywords)
        {
            if (SchemaReferences.Find(schema, keyword) is { } target)
            {
                cases = context.Apply(new Literal(target, false), cases);
            }
            else if (schema.Has(keyword))
            {
                context.Refuse(schema, keyword, $"refers to '{schema.Text(keyword)}', which is not part of the schema: only references such as #/$defs/name are supported");
            }
        }

        return [.. cases.Select(it => AddUnevaluated(it, before)).Select(it => it.Reduced()).OfType<Case>()];
    }

    private void CheckKeywords()
    {
        foreach (JsonProperty property in schema.Element.EnumerateObject())
        {
            if (SchemaKeywords.Misspelled(property.Name) is { } keyword)
            {
                context.Refuse(schema, property.Name, $"is not a keyword of JSON Schema; '{keyword}' is, so correct or remove it");
            }
        }
    }

    private Case? AddFacts(Case it)
    {
        JsonKinds? kinds = schema.Kinds();
        if (kinds is null)
        {
            context.Refuse(schema, "type", $"has the unknown type {schema.Get("type")?.GetRawText()}");
        }

        it = it with
        {
            Kinds = it.Kinds & (kinds ?? JsonKinds.All),
            Numbers = new NumberKeywords(context, schema).Add(it.Numbers),
            Strings = AddStrings(it.Strings),
            Arrays = AddArrays(it.Arrays),
            Objects = AddObjects(it.Objects),
        };
        foreach (string keyword in (ReadOnlySpan<string>)["enum", "const"])
        {
            if (schema.Get(keyword) is not { } listed)
            {
                continue;
            }

            if (keyword == "enum" && listed.ValueKind != JsonValueKind.Array)
            {
                context.Refuse(schema, keyword, "is not a list of values");
                continue;
            }

            ImmutableList<JsonElement> values = keyword == "const" ? [listed] : [.. listed.EnumerateArray()];
            it = it with { Values = it.Values is { } known ? Common(known, values) : values };
        }

        if (it.Values is { } left)
        {
            it = it with { Kinds = it.Kinds & left.Aggregate(JsonKinds.None, (all, value) => all | JsonValues.KindOf(value)) };
        }

        return it.Reduced();
    }

    private ImmutableList<JsonElement> Common(ImmutableList<JsonElement> known, ImmutableList<JsonElement> values)
    {
        context.Expander.Charge(1, known.Count + values.Count);
        HashSet<string> keys = [.. values.Select(JsonValues.KeyOf)];
        return known.RemoveAll(value => !keys.Contains(JsonValues.KeyOf(value)));
    }

    private int? Count(string keyword, string noun)
    {
        int? count = schema.Count(keyword);
        if (count is null && schema.Has(keyword))
        {
            context.Refuse(schema, keyword, $"is not a number of {noun}");
        }

        return count;
    }

    private static int? Less(int? one, int? other) => one is null || other < one ? other : one;

    private StringFacts AddStrings(StringFacts facts)
    {
        facts = facts with { Least = Math.Max(facts.Least, Count("minLength", "characters") ?? 0), Most = Less(facts.Most, Count("maxLength", "characters")) };
        if (schema.Text("pattern") is { } pattern)
        {
            (Dfa? language, string? error) = context.Expander.Patterns.Compile(pattern);
            if (language is null)
            {
                context.Refuse(schema, "pattern", $"is {pattern}, which cannot be enforced: {error}");
            }

            facts = language is null ? facts : facts with { Languages = facts.Languages.Add(($"pattern {pattern}", language)) };
        }
        else if (schema.Has("pattern"))
        {
            context.Refuse(schema, "pattern", "is not a string");
        }

        facts = AddContent(facts);
        if (schema.Text("format") is not { } name || StringFormat.Find(name) is not { } format)
        {
            return facts;
        }

        if (format.Language is not { } words)
        {
            context.Refuse(schema, "format", $"is '{name}', which cannot be enforced; these can: {string.Join(", ", StringFormat.Names)}");
            return facts;
        }

        return facts with { Languages = facts.Languages.Add(($"format {name}", words)) };
    }

    private StringFacts AddContent(StringFacts facts)
    {
        if (!schema.Document.ChecksContent)
        {
            return facts;
        }

        if (schema.Text("contentMediaType") is { } type && type.Contains("json", StringComparison.OrdinalIgnoreCase))
        {
            context.Refuse(schema, "contentMediaType", $"is '{type}', whose texts cannot be enforced inside a string; use an object instead of a string");
        }

        return schema.Text("contentEncoding") == "base64" ? facts with { Languages = facts.Languages.Add(("content base64", StringFormat.Base64)) } : facts;
    }

    private ArrayFacts AddArrays(ArrayFacts facts)
    {
        (IReadOnlyList<SchemaNode> prefix, SchemaNode? rest) = SchemaReferences.Items(schema);
        foreach (string keyword in (ReadOnlySpan<string>)["prefixItems", "items"])
        {
            if (schema.Has(keyword) && schema.List(keyword) is null && (keyword == "prefixItems" || schema.Child(keyword) is null))
            {
                context.Refuse(schema, keyword, "is neither a schema nor a list of schemas");
            }
        }

        if (schema.Get("uniqueItems") is { ValueKind: not (JsonValueKind.True or JsonValueKind.False) })
        {
            context.Refuse(schema, "uniqueItems", "is not a boolean");
        }

        return AddContains(facts) with
        {
            Layers = prefix.Count == 0 && rest is null
                ? facts.Layers
                : facts.Layers.Add(new ArrayLayer([.. prefix.Select(part => new Literal(part, false))], rest is null ? null : new Literal(rest, false), IsEvaluated: true)),
            Least = Math.Max(facts.Least, Count("minItems", "items") ?? 0),
            Most = Less(facts.Most, Count("maxItems", "items")),
            IsUnique = facts.IsUnique || schema.Get("uniqueItems") is { ValueKind: JsonValueKind.True },
        };
    }

    private ArrayFacts AddContains(ArrayFacts facts)
    {
        if (schema.Child("contains") is not { } contains)
        {
            return facts;
        }

        int least = Count("minContains", "items") ?? 1;
        int? most = Count("maxContains", "items");
        return least == 0 && most is null ? facts : facts with { Contains = facts.Contains.Add((new Literal(contains, false), least, most)) };
    }

    private ObjectFacts AddObjects(ObjectFacts facts)
    {
        context.Expander.Charge(0, facts.Required.Count + facts.Layers.Count);
        if (context.Expander.LayerOf(schema, context) is { } layer)
        {
            facts = facts with { Layers = facts.Layers.Add(layer) };
        }

        // Version 4 has a boolean beside the property that is required.
        if (schema.Names("required") is { } names)
        {
            facts = facts.Requiring(names);
        }
        else if (schema.Get("required") is not { ValueKind: JsonValueKind.True or JsonValueKind.False })
        {
            context.Refuse(schema, "required", "is not a list of names");
        }

        return facts with
        {
            Least = Math.Max(facts.Least, Count("minProperties", "properties") ?? 0),
            Most = Less(facts.Most, Count("maxProperties", "properties")),
            Names = schema.Child("propertyNames") is { } demand ? facts.Names.Add(new Literal(demand, false)) : facts.Names,
        };
    }

    private List<Case> AddAll(List<Case> cases)
    {
        foreach (SchemaNode part in schema.List("allOf") ?? [])
        {
            cases = context.Apply(new Literal(part, false), cases);
        }

        return cases;
    }

    private List<Case> AddCombinations(List<Case> cases)
    {
        foreach (string keyword in (ReadOnlySpan<string>)["allOf", "anyOf", "oneOf"])
        {
            if (schema.Has(keyword) && schema.List(keyword) is not { Count: > 0 })
            {
                context.Refuse(schema, keyword, "is not a list of schemas, or is empty");
            }
        }

        if (schema.List("anyOf") is { Count: > 0 } alternatives)
        {
            cases = Union(alternatives.Select(part => context.Apply(new Literal(part, false), cases)));
        }

        if (schema.List("oneOf") is { Count: > 0 } choices)
        {
            cases = new ExclusiveCases(context, schema, choices).Add(cases);
        }

        if (schema.Child("not") is { } not)
        {
            cases = context.Apply(new Literal(not, true), cases);
        }

        return schema.Child("if") is { } condition ? AddCondition(condition, cases) : cases;
    }

    private List<Case> AddCondition(SchemaNode condition, List<Case> cases)
    {
        if (schema.Child("then") is null && schema.Child("else") is null)
        {
            return cases;
        }

        List<Case> met = context.Apply(new Literal(condition, false), cases);
        if (context.TryApply(new Literal(condition, true), cases) is not { } unmet)
        {
            context.Refuse(schema, "if", "has a condition whose opposite cannot be enforced; use const, enum, required and types in it");
            return cases;
        }

        return Union([Branch("then", met), Branch("else", unmet)]);

        List<Case> Branch(string keyword, List<Case> those) => schema.Child(keyword) is { } branch ? context.Apply(new Literal(branch, false), those) : those;
    }

    private List<Case> AddDependencies(List<Case> cases)
    {
        foreach ((string name, IReadOnlyList<string> names) in SchemaReferences.DependentNames(schema).Where(it => it.Names.Count > 0))
        {
            cases = Union([Without(name, cases), With(name, names, cases)]);
        }

        foreach ((string name, SchemaNode part) in schema.Map("dependentSchemas")
            .Concat(SchemaReferences.Dependencies(schema).Where(it => it.Schema is not null).Select(it => (it.Name, it.Schema!))))
        {
            cases = Union([Without(name, cases), context.Apply(new Literal(part, false), With(name, [], cases))]);
        }

        return cases;
    }

    // Values of other kinds have no properties.
    private List<Case> Without(string name, List<Case> cases)
    {
        List<Case> result = [];
        foreach (Case it in cases)
        {
            JsonKinds kinds = it.Objects.Required.Contains(name) ? it.Kinds & ~JsonKinds.Object : it.Kinds;
            if (kinds != JsonKinds.None)
            {
                result.Add(it with { Kinds = kinds, Objects = it.Objects.With(name, new Literal(schema.Document.False, false)) });
            }
        }

        return result;
    }

    private static List<Case> With(string name, IReadOnlyList<string> names, List<Case> cases) =>
        [.. cases.Where(it => it.Kinds.HasFlag(JsonKinds.Object)).Select(it => it with { Kinds = JsonKinds.Object, Objects = it.Objects.Requiring([name, .. names]) })];

    private List<Case> Union(IEnumerable<List<Case>> parts)
    {
        List<Case> all = [];
        foreach (List<Case> part in parts)
        {
            all.AddRange(part);
            context.Limit(all);
        }

        return all;
    }

    // What the schemas of this value have looked at is in the layers that were added since.
    private Case AddUnevaluated(Case it, Case before)
    {
        if (schema.Child("unevaluatedProperties") is { } members)
        {
            ObjectLayer[] layers = [.. it.Objects.Layers.Skip(before.Objects.Layers.Count).Where(layer => layer.IsEvaluated)];
            if (!Array.Exists(layers, layer => layer.Additional is not null))
            {
                var everything = new Literal(schema.Document.True, false);
                it = it with
                {
                    Objects = it.Objects with
                    {
                        Layers = it.Objects.Layers.Add(new ObjectLayer
                        {
                            Id = $"u{schema.Id} {string.Join(' ', layers.Select(layer => layer.Id))}",
                            Properties = layers.SelectMany(layer => layer.Properties.Keys).Distinct().ToDictionary(name => name, _ => everything, StringComparer.Ordinal),
                            Patterns = [.. layers.SelectMany(layer => layer.Patterns).Select(pattern => pattern with { Demand = everything })],
                            Additional = new Literal(members, false),
                        }),
                    },
                };
            }
        }

        if (schema.Child("unevaluatedItems") is { } items)
        {
            ArrayLayer[] layers = [.. it.Arrays.Layers.Skip(before.Arrays.Layers.Count).Where(layer => layer.IsEvaluated)];
            if (!Array.Exists(layers, layer => layer.Rest is not null))
            {
                Literal[] prefix = [.. Enumerable.Repeat(new Literal(schema.Document.True, false), layers.Select(layer => layer.Prefix.Count).DefaultIfEmpty().Max())];
                it = it with { Arrays = it.Arrays with { Layers = it.Arrays.Layers.Add(new ArrayLayer(prefix, new Literal(items, false), IsEvaluated: true)) } };
            }
        }

        return it;
    }
}
