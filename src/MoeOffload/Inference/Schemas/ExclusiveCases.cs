using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Adds to cases that their values satisfy exactly one of several schemas.</summary>
internal sealed class ExclusiveCases(CaseContext context, SchemaNode schema, IReadOnlyList<SchemaNode> alternatives)
{
    private const int MaxPairs = 2_000;

    /// <summary>Returns the cases that remain.</summary>
    public List<Case> Add(List<Case> cases)
    {
        foreach (SchemaNode alternative in alternatives)
        {
            context.Expander.Charge(0, alternative.Weight + (SchemaReferences.Find(alternative, "$ref")?.Weight ?? 0));
        }

        bool areDistinct = HaveDiscriminator();
        if (!areDistinct && alternatives.Count * alternatives.Count > MaxPairs)
        {
            context.Refuse(schema, "oneOf", "has many alternatives without a required property whose const tells them apart; add one, or use anyOf");
            areDistinct = true;
        }

        List<Case> all = [];
        bool isRefused = false;
        foreach (SchemaNode alternative in alternatives)
        {
            List<Case> own = context.Apply(new Literal(alternative, false), cases);
            foreach (SchemaNode other in alternatives)
            {
                if (areDistinct || other == alternative || own.Count == 0 || context.Expander.AreDisjoint(alternative, other))
                {
                    continue;
                }

                if (Without(own, other) is { } without)
                {
                    own = without;
                }
                else if (context.TryApply(new Literal(other, true), own) is { } rest)
                {
                    own = rest;
                }
                else if (!isRefused)
                {
                    isRefused = true;
                    context.Refuse(schema, "oneOf", "has alternatives that can match at the same time, for which it cannot be enforced; use anyOf");
                }
            }

            all.AddRange(own);
            context.Limit(all);
        }

        return all;
    }

    // What another alternative requires and these cases do not name is left out.
    private List<Case>? Without(List<Case> cases, SchemaNode other)
    {
        List<Case> result = [];
        IReadOnlyList<string> names = (SchemaReferences.Find(other, "$ref") ?? other).Names("required") ?? [];
        foreach (Case it in cases)
        {
            context.Expander.Charge(0, names.Count + it.Objects.Required.Count + it.Objects.Layers.Sum(layer => 1L + layer.Names.Count));
            string? name = it.Kinds != JsonKinds.Object || it.Values is not null
                ? null
                : names.FirstOrDefault(name => !it.Objects.Required.Contains(name) && !it.Objects.Layers.Any(layer => layer.Names.Contains(name)));
            if (name is null)
            {
                return null;
            }

            result.Add(it with { Objects = it.Objects.With(name, new Literal(other.Document.False, false)) });
        }

        return result;
    }

    // Finds a required property that has another value in each alternative.
    private bool HaveDiscriminator()
    {
        IEnumerable<string>? names = null;
        List<SchemaNode> parts = [];
        foreach (SchemaNode alternative in alternatives)
        {
            SchemaNode part = SchemaReferences.Find(alternative, "$ref") ?? alternative;
            if (part.Text("type") != "object" || part.Names("required") is not { } required)
            {
                return false;
            }

            names = names?.Intersect(required) ?? required;
            parts.Add(part);
        }

        return names?.Any(name => AreDistinct(parts, name)) == true;
    }

    private static bool AreDistinct(List<SchemaNode> parts, string name)
    {
        HashSet<string> known = new(StringComparer.Ordinal);
        return parts.TrueForAll(part =>
            part.Child("properties")?.Child(name)?.Values() is { } values
            && values.All(value => value.ValueKind == JsonValueKind.String && known.Add(value.GetString()!)));
    }
}
