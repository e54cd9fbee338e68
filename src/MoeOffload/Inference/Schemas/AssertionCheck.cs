using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Checks the keywords of a schema that have no schemas in them.</summary>
internal sealed class AssertionCheck(PatternCache patterns)
{
    /// <summary>Returns the keywords that a value violates.</summary>
    public IEnumerable<string> Violated(SchemaNode schema, JsonElement value) =>
        General(schema, value).Concat(value.ValueKind switch
        {
            JsonValueKind.Number => Numbers(schema, value),
            JsonValueKind.String => Strings(schema, value.GetString()!),
            JsonValueKind.Array => Arrays(schema, value),
            JsonValueKind.Object => Objects(schema, value),
            _ => [],
        });

    private static IEnumerable<string> General(SchemaNode schema, JsonElement value)
    {
        if ((schema.Kinds() ?? JsonKinds.All) is var kinds && (kinds & JsonValues.KindOf(value)) == 0)
        {
            yield return "type";
        }

        if (schema.Get("const") is { } only && !JsonValues.AreEqual(only, value))
        {
            yield return "const";
        }

        if (schema.Get("enum") is { ValueKind: JsonValueKind.Array } && !schema.Lists(value))
        {
            yield return "enum";
        }
    }

    private static IEnumerable<string> Numbers(SchemaNode schema, JsonElement value)
    {
        ExactNumber number = JsonValues.NumberOf(value);
        bool isOpenBelow = schema.Get("exclusiveMinimum") is { ValueKind: JsonValueKind.True };
        bool isOpenAbove = schema.Get("exclusiveMaximum") is { ValueKind: JsonValueKind.True };
        if (schema.Number("minimum") is { } least && (number.CompareTo(least) < 0 || (isOpenBelow && number == least)))
        {
            yield return "minimum";
        }

        if (schema.Number("maximum") is { } most && (number.CompareTo(most) > 0 || (isOpenAbove && number == most)))
        {
            yield return "maximum";
        }

        if (schema.Number("exclusiveMinimum") is { } above && number.CompareTo(above) <= 0)
        {
            yield return "exclusiveMinimum";
        }

        if (schema.Number("exclusiveMaximum") is { } below && number.CompareTo(below) >= 0)
        {
            yield return "exclusiveMaximum";
        }

        if (schema.Number("multipleOf") is { Mantissa.Sign: > 0 } divisor && !number.IsMultipleOf(divisor))
        {
            yield return "multipleOf";
        }
    }

    private IEnumerable<string> Strings(SchemaNode schema, string text)
    {
        if (JsonValues.LengthOf(text) < schema.Count("minLength"))
        {
            yield return "minLength";
        }

        if (JsonValues.LengthOf(text) > schema.Count("maxLength"))
        {
            yield return "maxLength";
        }

        if (schema.Text("pattern") is { } pattern && !patterns.Matches(pattern, text))
        {
            yield return "pattern";
        }

        if (schema.Document.ChecksContent && schema.Text("contentEncoding") == "base64" && !StringFormat.Base64.Matches(text))
        {
            yield return "contentEncoding";
        }

        if (schema.Text("format") is { } format && !StringFormat.Allows(format, text))
        {
            yield return "format";
        }
    }

    private static IEnumerable<string> Arrays(SchemaNode schema, JsonElement value)
    {
        int count = value.GetArrayLength();
        if (count < schema.Count("minItems"))
        {
            yield return "minItems";
        }

        if (count > schema.Count("maxItems"))
        {
            yield return "maxItems";
        }

        if (schema.Get("uniqueItems") is { ValueKind: JsonValueKind.True })
        {
            if (value.EnumerateArray().DistinctBy(JsonValues.KeyOf).Count() < count)
            {
                yield return "uniqueItems";
            }
        }
    }

    private static IEnumerable<string> Objects(SchemaNode schema, JsonElement value)
    {
        Dictionary<string, JsonElement> members = JsonValues.Members(value);
        if (members.Count < schema.Count("minProperties"))
        {
            yield return "minProperties";
        }

        if (members.Count > schema.Count("maxProperties"))
        {
            yield return "maxProperties";
        }

        if (schema.Names("required") is { } names && !names.All(members.ContainsKey))
        {
            yield return "required";
        }

        if (SchemaReferences.DependentNames(schema).Any(it => members.ContainsKey(it.Name) && !it.Names.All(members.ContainsKey)))
        {
            yield return "dependentRequired";
        }
    }
}
