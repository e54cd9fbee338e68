using System.Globalization;
using System.Text.Json;
using MoeOffload.Inference.Automata;
using MoeOffload.Schemas;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Checks values against a schema. Keywords that are not valid, and references that lead out of the document, allow everything.
/// </summary>
internal sealed class SchemaValidator(PatternCache patterns)
{
    private const int MaxDepth = 300;
    private const int MaxViolations = 20;

    // Schemas that refer to each other can be applied to the same value in very many ways.
    private const int MaxSteps = 200_000;
    private const int MaxStepsOfListedValue = 10_000;
    private const long WorkOfStep = 20;

    // A schema takes a step more for each of so many names or listed values.
    private const int PartsOfStep = 16;

    private readonly AssertionCheck _assertions = new(patterns);

    /// <summary>Determines whether a value satisfies a schema.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="value">The value.</param>
    /// <param name="work">The budget.</param>
    /// <param name="doubt">Receives the location of a keyword that could not be evaluated, or null.</param>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public bool Allows(SchemaNode schema, JsonElement value, WorkBudget work, out string? doubt)
    {
        var budget = new Budget(MaxStepsOfListedValue);
        var run = new Run(_assertions, patterns, null, budget);
        bool isAllowed = run.Check(schema, value, string.Empty, new Evaluated(), 0);
        work.Spend(budget.Used * WorkOfStep);
        doubt = run.Doubt;
        return isAllowed;
    }

    /// <summary>Returns where a value violates a schema, or an empty list if it does not.</summary>
    public IReadOnlyList<JsonSchemaViolation> Validate(SchemaNode schema, JsonElement value)
    {
        List<JsonSchemaViolation> violations = [];
        var budget = new Budget(MaxSteps);
        _ = new Run(_assertions, patterns, violations, budget).Check(schema, value, string.Empty, new Evaluated(), 0);
        if (budget.IsSpent)
        {
            violations.Add(new JsonSchemaViolation(string.Empty, schema.Pointer, "refers to so many schemas that the value cannot be checked"));
        }

        return violations;
    }

    // The members and items that the schemas of the same value have looked at.
    private sealed class Evaluated
    {
        public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

        public HashSet<int> Items { get; } = [];

        public void Add(Evaluated other)
        {
            Names.UnionWith(other.Names);
            Items.UnionWith(other.Items);
        }
    }

    private sealed class Budget(int steps)
    {
        public long Used { get; private set; }

        public bool IsSpent => Used > steps;

        public bool Take(int count)
        {
            Used += count;
            return Used <= steps;
        }
    }

    private sealed class Run(AssertionCheck assertions, PatternCache patterns, List<JsonSchemaViolation>? violations, Budget budget)
    {
        public string? Doubt { get; private set; }

        private Run Quietly => violations is null ? this : new Run(assertions, patterns, null, budget);

        public bool Check(SchemaNode schema, JsonElement value, string path, Evaluated seen, int depth)
        {
            if (schema.IsFalse)
            {
                return Fail(schema.Pointer, path, "allows nothing");
            }

            if (!schema.IsObject || depth > MaxDepth || !budget.Take(1 + (schema.Weight / PartsOfStep)))
            {
                Doubt ??= schema.IsObject ? schema.Pointer : null;
                return true;
            }

            bool isValid = true;
            if (!schema.Document.HidesSiblingsOfReferences || !schema.Has("$ref"))
            {
                foreach (string keyword in assertions.Violated(schema, value))
                {
                    isValid &= Fail(schema.At(keyword), path, "is violated");
                }

                isValid &= CheckCombinations(schema, value, path, seen, depth);
                isValid &= value.ValueKind switch
                {
                    JsonValueKind.Object => CheckObject(schema, value, path, seen, depth),
                    JsonValueKind.Array => CheckArray(schema, value, path, seen, depth),
                    _ => true,
                };
            }

            return CheckReferences(schema, value, path, seen, depth) & isValid && CheckRest(schema, value, path, seen, depth);
        }

        private bool Fail(string keyword, string path, string reason)
        {
            if (violations is { Count: < MaxViolations })
            {
                violations.Add(new JsonSchemaViolation(path, keyword, reason));
            }

            return false;
        }

        // Checks another schema for the same value. What it has looked at counts only if it is satisfied.
        private bool Apply(SchemaNode schema, JsonElement value, string path, Evaluated seen, int depth)
        {
            var own = new Evaluated();
            bool isValid = Check(schema, value, path, own, depth + 1);
            if (isValid)
            {
                seen.Add(own);
            }

            return isValid;
        }

        private bool CheckReferences(SchemaNode schema, JsonElement value, string path, Evaluated seen, int depth)
        {
            bool isValid = true;
            foreach (string keyword in SchemaReferences.Keywords)
            {
                if (SchemaReferences.Find(schema, keyword) is { } target)
                {
                    isValid &= Apply(target, value, path, seen, depth);
                }
                else
                {
                    Doubt ??= schema.Has(keyword) ? schema.At(keyword) : null;
                }
            }

            return isValid;
        }

        private bool CheckCombinations(SchemaNode schema, JsonElement value, string path, Evaluated seen, int depth)
        {
            bool isValid = true;
            foreach (SchemaNode part in schema.List("allOf") ?? [])
            {
                isValid &= Apply(part, value, path, seen, depth);
            }

            // All are applied, because each can look at other members.
            bool[] satisfied = [.. (schema.List("anyOf") ?? []).Select(part => Quietly.Apply(part, value, path, seen, depth))];
            if (satisfied.Length > 0 && !Array.Exists(satisfied, it => it))
            {
                isValid = Fail(schema.At("anyOf"), path, "has no alternative that the value satisfies");
            }

            if (schema.List("oneOf") is { Count: > 0 } choices && choices.Count(part => Quietly.Apply(part, value, path, seen, depth)) is var count and not 1)
            {
                isValid = Fail(schema.At("oneOf"), path, string.Create(CultureInfo.InvariantCulture, $"has {count} alternatives that the value satisfies, instead of one"));
            }

            if (schema.Child("not") is { } not && Quietly.Check(not, value, path, new Evaluated(), depth + 1))
            {
                isValid = Fail(schema.At("not"), path, "is satisfied");
            }

            if (schema.Child("if") is { } condition)
            {
                SchemaNode? branch = schema.Child(Quietly.Apply(condition, value, path, seen, depth) ? "then" : "else");
                isValid &= branch is null || Apply(branch, value, path, seen, depth);
            }

            return isValid;
        }

        private bool CheckObject(SchemaNode schema, JsonElement value, string path, Evaluated seen, int depth)
        {
            bool isValid = true;
            Dictionary<string, JsonElement> members = JsonValues.Members(value);
            HashSet<string> own = new(StringComparer.Ordinal);
            foreach ((string name, SchemaNode part) in schema.Map("properties"))
            {
                if (members.TryGetValue(name, out JsonElement member))
                {
                    own.Add(name);
                    isValid &= CheckMember(part, name, member);
                }
            }

            foreach ((string pattern, SchemaNode part) in schema.Map("patternProperties"))
            {
                foreach ((string name, JsonElement member) in members.Where(member => patterns.Matches(pattern, member.Key)))
                {
                    own.Add(name);
                    isValid &= CheckMember(part, name, member);
                }
            }

            if (schema.Child("additionalProperties") is { } additional)
            {
                foreach ((string name, JsonElement member) in members.Where(member => !own.Contains(member.Key)).ToArray())
                {
                    own.Add(name);
                    isValid &= CheckMember(additional, name, member);
                }
            }

            seen.Names.UnionWith(own);
            if (schema.Child("propertyNames") is { } names)
            {
                foreach (string name in members.Keys)
                {
                    isValid &= Check(names, JsonElement.Parse(JsonValues.Write(name)), $"{path}/{SchemaDocument.Escape(name)}", new Evaluated(), depth + 1);
                }
            }

            foreach ((string name, SchemaNode part) in DependentSchemas(schema))
            {
                isValid &= !members.ContainsKey(name) || Apply(part, value, path, seen, depth);
            }

            return isValid;

            bool CheckMember(SchemaNode part, string name, JsonElement member) =>
                Check(part, member, $"{path}/{SchemaDocument.Escape(name)}", new Evaluated(), depth + 1);
        }

        private static IEnumerable<(string Name, SchemaNode Schema)> DependentSchemas(SchemaNode schema) =>
            schema.Map("dependentSchemas").Concat(SchemaReferences.Dependencies(schema).Where(it => it.Schema is not null).Select(it => (it.Name, it.Schema!)));

        private bool CheckArray(SchemaNode schema, JsonElement value, string path, Evaluated seen, int depth)
        {
            bool isValid = true;
            (IReadOnlyList<SchemaNode> prefix, SchemaNode? rest) = SchemaReferences.Items(schema);
            for (int i = 0; i < value.GetArrayLength(); i++)
            {
                if ((i < prefix.Count ? prefix[i] : rest) is { } part)
                {
                    seen.Items.Add(i);
                    isValid &= Check(part, value[i], Item(i), new Evaluated(), depth + 1);
                }
            }

            if (schema.Child("contains") is { } contains)
            {
                int[] matches = [.. Enumerable.Range(0, value.GetArrayLength()).Where(i => Quietly.Check(contains, value[i], Item(i), new Evaluated(), depth + 1))];
                seen.Items.UnionWith(matches);
                int least = schema.Count("minContains") ?? 1;
                if (matches.Length < least || matches.Length > (schema.Count("maxContains") ?? int.MaxValue))
                {
                    isValid = Fail(schema.At("contains"), path, string.Create(CultureInfo.InvariantCulture, $"is satisfied by {matches.Length} items"));
                }
            }

            return isValid;

            string Item(int index) => string.Create(CultureInfo.InvariantCulture, $"{path}/{index}");
        }

        // Checks what no other schema of the same value has looked at.
        private bool CheckRest(SchemaNode schema, JsonElement value, string path, Evaluated seen, int depth)
        {
            bool isValid = true;
            if (value.ValueKind == JsonValueKind.Object && schema.Child("unevaluatedProperties") is { } members)
            {
                foreach ((string name, JsonElement member) in JsonValues.Members(value).Where(member => !seen.Names.Contains(member.Key)))
                {
                    isValid &= Check(members, member, $"{path}/{SchemaDocument.Escape(name)}", new Evaluated(), depth + 1);
                }

                seen.Names.UnionWith(JsonValues.Members(value).Keys);
            }

            if (value.ValueKind == JsonValueKind.Array && schema.Child("unevaluatedItems") is { } items)
            {
                for (int i = 0; i < value.GetArrayLength(); i++)
                {
                    isValid &= seen.Items.Contains(i)
                        || Check(items, value[i], string.Create(CultureInfo.InvariantCulture, $"{path}/{i}"), new Evaluated(), depth + 1);
                }

                seen.Items.UnionWith(Enumerable.Range(0, value.GetArrayLength()));
            }

            return isValid;
        }
    }
}
