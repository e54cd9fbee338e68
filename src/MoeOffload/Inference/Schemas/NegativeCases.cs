using System.Text.Json;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Adds to a case that its values do not satisfy a schema: they violate one of its keywords. If the opposite of a keyword cannot be expressed,
/// nothing is added.
/// </summary>
internal sealed class NegativeCases(CaseContext context, SchemaNode schema)
{
    private readonly List<Case> _cases = [];
    private bool _isWhole = true;

    /// <summary>Returns the cases that remain.</summary>
    public List<Case> Add(Case before)
    {
        bool hasOnlyReference = schema.Document.HidesSiblingsOfReferences && schema.Has("$ref");
        foreach (JsonProperty property in schema.Element.EnumerateObject())
        {
            // The keywords next to a reference count in some versions of JSON Schema only.
            if (property.Name == "$ref" && schema.Document.IsOfUnknownVersion && schema.Element.EnumerateObject().Any(it => it.Name != "$ref" && SchemaKeywords.Assertions.ContainsKey(it.Name)))
            {
                Refuse("$ref");
            }
            else if (SchemaKeywords.Assertions.TryGetValue(property.Name, out JsonKinds kinds) && (before.Kinds & kinds) != 0 && (!hasOnlyReference || property.Name == "$ref"))
            {
                Violate(property.Name, kinds == JsonKinds.All ? before : before with { Kinds = before.Kinds & kinds });
            }
        }

        context.Limit(_cases);
        return _isWhole ? [.. _cases.Select(it => it.Reduced()).OfType<Case>()] : [before];
    }

    private void Violate(string keyword, Case it)
    {
        switch (keyword)
        {
            case "type":
                Keep(schema.Kinds() is { } kinds ? it with { Kinds = it.Kinds & ~kinds } : null);
                break;
            case "const" or "enum":
                Exclude(it);
                break;
            case "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" or "multipleOf":
                ViolateNumber(keyword, it);
                break;
            case "minLength" or "maxLength" or "pattern" or "format":
                ViolateString(keyword, it);
                break;
            case "minItems" or "maxItems" or "contains" or "minContains" or "maxContains" or "items" or "prefixItems" or "additionalItems" or "unevaluatedItems" or "uniqueItems":
                ViolateArray(keyword, it);
                break;
            case "required" or "properties" or "minProperties" or "maxProperties" or "dependentRequired" or "additionalProperties" or "patternProperties"
                or "unevaluatedProperties" or "propertyNames" or "dependentSchemas" or "dependencies":
                ViolateObject(keyword, it);
                break;
            default:
                ViolateCombination(keyword, it);
                break;
        }
    }

    private void Refuse(string keyword)
    {
        _isWhole = false;
        context.Refuse(schema, keyword, "is part of a schema that must not match, where it cannot be enforced");
    }

    private void Keep(Case? it)
    {
        if (it is { Kinds: not JsonKinds.None })
        {
            _cases.Add(it);
            context.Expander.Charge(0, it.Objects.Required.Count);
            if (_cases.Count % (4 * CaseContext.MaxCases) == 0)
            {
                context.Limit(_cases);
            }
        }
        else if (it is null)
        {
            _isWhole = false;
        }
    }

    // The constants null, true and false are left out when they are written.
    private void Exclude(Case it)
    {
        List<string> texts = [];
        foreach (JsonElement value in schema.Values() ?? [])
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    texts.Add(value.GetString()!);
                    break;
                case JsonValueKind.Number:
                    it = it with { Numbers = it.Numbers with { Excluded = it.Numbers.Excluded.Add(JsonValues.NumberOf(value)) } };
                    break;
                case JsonValueKind.Array or JsonValueKind.Object when (it.Kinds & JsonValues.KindOf(value)) != 0:
                    Refuse(schema.Has("const") ? "const" : "enum");
                    return;
                default:
                    it = value.ValueKind == JsonValueKind.Null ? it with { Kinds = it.Kinds & ~JsonKinds.Null } : it;
                    break;
            }
        }

        if (texts.Count > 0 && it.Kinds.HasFlag(JsonKinds.String))
        {
            try
            {
                Dfa others = Dfa.OfTexts(texts, context.Expander.Work).Complement(context.Expander.Work);
                it = it with { Strings = it.Strings with { Languages = it.Strings.Languages.Add(($"not {string.Join('\n', texts)}", others)) } };
            }
            catch (FormatException)
            {
                Refuse(schema.Has("const") ? "const" : "enum");
                return;
            }
        }

        Keep(schema.Values() is null ? null : it);
    }

    private void ViolateNumber(string keyword, Case it)
    {
        bool isOpenBelow = schema.Get("exclusiveMinimum") is { ValueKind: JsonValueKind.True };
        bool isOpenAbove = schema.Get("exclusiveMaximum") is { ValueKind: JsonValueKind.True };
        if (schema.Number(keyword) is not { } number)
        {
            return;
        }

        switch (keyword)
        {
            case "minimum":
                Keep(it with { Numbers = it.Numbers.To(number, !isOpenBelow) });
                break;
            case "maximum":
                Keep(it with { Numbers = it.Numbers.From(number, !isOpenAbove) });
                break;
            case "exclusiveMinimum":
                Keep(it with { Numbers = it.Numbers.To(number, isOpen: false) });
                break;
            case "exclusiveMaximum":
                Keep(it with { Numbers = it.Numbers.From(number, isOpen: false) });
                break;
            case "multipleOf" when number.Mantissa.Sign > 0 && NumberLanguage.CanDivide(number):
                Keep(it with { Numbers = it.Numbers with { NonDivisors = it.Numbers.NonDivisors.Add(number) } });
                break;
            default:
                Refuse(keyword);
                break;
        }
    }

    private void ViolateString(string keyword, Case it)
    {
        switch (keyword)
        {
            case "minLength" when schema.Count(keyword) is { } least:
                Keep(least == 0 ? it with { Kinds = JsonKinds.None } : it with { Strings = it.Strings with { Most = Math.Min(it.Strings.Most ?? int.MaxValue, least - 1) } });
                break;
            case "maxLength" when schema.Count(keyword) is { } most and < int.MaxValue:
                Keep(it with { Strings = it.Strings with { Least = Math.Max(it.Strings.Least, most + 1) } });
                break;
            case "pattern" when schema.Text(keyword) is { } pattern && context.Expander.Patterns.Compile(pattern).Language is { } language:
                try
                {
                    Keep(it with { Strings = it.Strings with { Languages = it.Strings.Languages.Add(($"no {pattern}", language.Complement(context.Expander.Work))) } });
                }
                catch (FormatException)
                {
                    Refuse(keyword);
                }

                break;
            case "format" when schema.Text(keyword) is { } format && (StringFormat.Find(format) is null || !it.Kinds.HasFlag(JsonKinds.String)):
                break;
            default:
                Refuse(keyword);
                break;
        }
    }

    private void ViolateArray(string keyword, Case it)
    {
        switch (keyword)
        {
            case "minItems" when schema.Count(keyword) is { } least:
                Keep(least == 0 ? it with { Kinds = JsonKinds.None } : it with { Arrays = it.Arrays with { Most = Math.Min(it.Arrays.Most ?? int.MaxValue, least - 1) } });
                break;
            case "maxItems" when schema.Count(keyword) is { } most and < int.MaxValue:
                Keep(it with { Arrays = it.Arrays with { Least = Math.Max(it.Arrays.Least, most + 1) } });
                break;
            case "contains" when schema.Child(keyword) is { } contains && !schema.Has("minContains") && !schema.Has("maxContains"):
                Keep(it with { Arrays = it.Arrays with { Layers = it.Arrays.Layers.Add(new ArrayLayer([], new Literal(contains, true), IsEvaluated: false)) } });
                break;
            case "uniqueItems" when schema.Get(keyword) is { ValueKind: JsonValueKind.False }:
            case "items" or "additionalItems" or "unevaluatedItems" when schema.Child(keyword) is { IsTrue: true }:
                break;
            case "prefixItems" when SchemaReferences.Items(schema).Prefix is { Count: > 0 and <= CaseContext.MaxCases } prefix:
                for (int i = 0; i < prefix.Count; i++)
                {
                    var demands = Enumerable.Repeat(new Literal(schema.Document.True, false), i).Append(new Literal(prefix[i], true));
                    Keep(it with { Arrays = it.Arrays with { Least = Math.Max(it.Arrays.Least, i + 1), Layers = it.Arrays.Layers.Add(new ArrayLayer([.. demands], null, IsEvaluated: false)) } });
                }

                break;
            default:
                Refuse(keyword);
                break;
        }
    }

    private void ViolateObject(string keyword, Case it)
    {
        ObjectFacts facts = it.Objects;
        switch (keyword)
        {
            case "required" when schema.Names(keyword) is { } names:
                foreach (string name in names.Where(name => !facts.Required.Contains(name)))
                {
                    Keep(it with { Objects = facts.With(name, new Literal(schema.Document.False, false)) });
                }

                break;
            case "properties" when schema.IsMap(keyword):
                foreach ((string name, SchemaNode part) in schema.Map(keyword).Where(property => !property.Schema.IsTrue))
                {
                    Keep(it with { Objects = facts.Requiring([name]).With(name, new Literal(part, true)) });
                }

                break;
            case "minProperties" when schema.Count(keyword) is { } least:
                Keep(least == 0 ? it with { Kinds = JsonKinds.None } : it with { Objects = facts with { Most = Math.Min(facts.Most ?? int.MaxValue, least - 1) } });
                break;
            case "maxProperties" when schema.Count(keyword) is { } most and < int.MaxValue:
                Keep(it with { Objects = facts with { Least = Math.Max(facts.Least, most + 1) } });
                break;
            case "dependentRequired":
                foreach ((string name, IReadOnlyList<string> others) in SchemaReferences.DependentNames(schema))
                {
                    foreach (string other in others)
                    {
                        Keep(it with { Objects = facts.Requiring([name]).With(other, new Literal(schema.Document.False, false)) });
                    }
                }

                break;
            case "additionalProperties" or "unevaluatedProperties" or "propertyNames" when schema.Child(keyword) is { IsTrue: true }:
                break;
            default:
                Refuse(keyword);
                break;
        }
    }

    private void ViolateCombination(string keyword, Case it)
    {
        switch (keyword)
        {
            case "$ref" or "$dynamicRef" or "$recursiveRef" when SchemaReferences.Find(schema, keyword) is { } target:
                Apply([new Literal(target, true)], it);
                break;
            case "allOf" when schema.List(keyword) is { } parts:
                foreach (SchemaNode part in parts)
                {
                    Apply([new Literal(part, true)], it);
                }

                break;
            case "anyOf" when schema.List(keyword) is { Count: > 0 } alternatives:
                Apply([.. alternatives.Select(part => new Literal(part, true))], it);
                break;
            case "not" when schema.Child(keyword) is { } not:
                Apply([new Literal(not, false)], it);
                break;
            case "if" when schema.Child(keyword) is { } condition:
                Apply([new Literal(condition, false), new Literal(schema.Child("then") ?? schema.Document.True, true)], it);
                Apply([new Literal(condition, true), new Literal(schema.Child("else") ?? schema.Document.True, true)], it);
                break;
            case "then" or "else":
                break;
            default:
                Refuse(keyword);
                break;
        }
    }

    private void Apply(Literal[] demands, Case it)
    {
        List<Case>? cases = [it];
        foreach (Literal demand in demands)
        {
            cases = cases is null ? null : context.TryApply(demand, cases);
        }

        if (cases is null)
        {
            Refuse(demands[0].Schema.Pointer == schema.Pointer ? "not" : "allOf");
            return;
        }

        // What must not match is not evaluated.
        _cases.AddRange(cases.Select(one => one with
        {
            Arrays = one.Arrays with { Layers = [.. one.Arrays.Layers.Select((layer, index) => index < it.Arrays.Layers.Count ? layer : layer with { IsEvaluated = false })] },
            Objects = one.Objects with { Layers = [.. one.Objects.Layers.Select((layer, index) => index < it.Objects.Layers.Count ? layer : layer with { IsEvaluated = false })] },
        }));
    }
}
