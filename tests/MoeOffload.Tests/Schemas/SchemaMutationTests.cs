using FluentAssertions;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

/// <summary>Whatever a schema says, parsing it throws what is documented, or nothing.</summary>
[TestFixture]
public sealed class SchemaMutationTests
{
    private const int Mutations = 2500;

    private static readonly string[] s_seeds =
    [
        """{"type":"object","properties":{"a":{"type":"integer","minimum":-5,"maximum":100},"b":{"enum":["x",1,null,true]}},"required":["a"],"additionalProperties":false}""",
        """{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"left":{"$ref":"#/$defs/tree"},"value":{"const":[1,{"a":"b"}]}}}}}""",
        """{"type":"array","items":{"type":"string","pattern":"^[a-z]{2,5}(x|y)*$","minLength":1,"maxLength":40},"minItems":1,"maxItems":9,"uniqueItems":true}""",
        """{"allOf":[{"type":"object","properties":{"k":{"type":"number","multipleOf":0.5}}},{"required":["k"]},{"patternProperties":{"^x-":{"type":"boolean"}}}]}""",
        """{"anyOf":[{"type":"string","format":"date-time"},{"type":"string","format":"ipv6"},{"not":{"type":"null"}}],"oneOf":[{"type":"string"},{"type":"number"}]}""",
        """{"if":{"properties":{"kind":{"const":"a"}}},"then":{"required":["x"]},"else":{"required":["y"]},"type":"object","properties":{"kind":{"type":"string"},"x":{},"y":{}}}""",
        """{"type":"object","propertyNames":{"pattern":"^[A-Z]+$"},"minProperties":1,"maxProperties":4,"dependentRequired":{"A":["B"]},"unevaluatedProperties":false}""",
        """{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false,"contains":{"type":"integer"},"minContains":1}""",
        """{"$anchor":"a","$id":"https://example.org/s","type":["string","null"],"minLength":2.0,"description":"😀 \u00e4","$dynamicRef":"#a"}""",
    ];

    private static readonly string[] s_parts =
    [
        "{", "}", "[", "]", ",", ":", "\"", "null", "true", "false", "0", "-1", "1e400", "99999999999999999999", "0.1", "\"#\"", "{}", "[]", "\"$ref\":\"#\"", "\"type\":\"object\"",
        "\"pattern\":\"(\"", "\"pattern\":\"a{1000000}\"", "\"\\ud800\"", "\"enum\":[]", "\"minimum\":1e308", "\"$ref\":\"#/~2\"", "\"items\":[]", "\"maxLength\":4294967296", "\u0000", "\ud800",
    ];

    [Test]
    public void Mutated_schema_is_parsed_or_refused_with_an_argument_error()
    {
        var random = new Random(5);
        int parsed = 0;
        for (int i = 0; i < Mutations; i++)
        {
            string schema = Mutate(random, s_seeds[i % s_seeds.Length]);
            parsed += IsParsed(schema, JsonSchema.Parse) ? 1 : 0;
            IsParsed(schema, JsonSchema.ParseLenient);
        }

        parsed.Should().BeInRange(1, Mutations - 1);
    }

    private static bool IsParsed(string schema, Func<string, JsonSchema> parse)
    {
        try
        {
            parse(schema).ToGrammar().Should().NotBeEmpty();
            return true;
        }
        catch (Exception error) when (error is not AssertionException)
        {
            error.Should().BeOfType<ArgumentException>("{0} threw {1}", schema, error);
            return false;
        }
    }

    private static string Mutate(Random random, string schema)
    {
        for (int times = random.Next(1, 4); times > 0; times--)
        {
            int place = random.Next(schema.Length);
            int length = Math.Min(random.Next(1, 12), schema.Length - place);
            schema = random.Next(5) switch
            {
                0 => schema.Remove(place, length),
                1 => schema.Insert(place, s_parts[random.Next(s_parts.Length)]),
                2 => schema.Remove(place, 1).Insert(place, $"{(char)random.Next(32, 127)}"),
                3 => ReplaceToken(random, schema, place),
                _ => schema.Insert(place, s_seeds[random.Next(s_seeds.Length)][..20]),
            };
            schema = schema.Length == 0 ? "{" : schema;
        }

        return schema;
    }

    // Replaces a string or a number by another value, so that more of the schemas are JSON.
    private static string ReplaceToken(Random random, string schema, int place)
    {
        int start = schema.IndexOf(':', place);
        int end = start < 0 ? -1 : schema.IndexOfAny([',', '}', ']'], start);
        return end < 0 ? schema : string.Concat(schema.AsSpan(0, start + 1), s_parts[random.Next(7, 18)], schema.AsSpan(end));
    }
}
