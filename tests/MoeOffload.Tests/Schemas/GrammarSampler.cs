using System.Text.Json;
using FluentAssertions;
using MoeOffload.Schemas;

namespace MoeOffload.Tests.Schemas;

/// <summary>Checks random texts of a schema's grammar against the schema.</summary>
internal static class GrammarSampler
{
    /// <summary>Checks that texts of the grammar are valid, by two validators that know nothing of each other or of the grammar.</summary>
    public static void Check(JsonSchema schema, int count, int seed = 1)
    {
        foreach (string text in Texts(schema, count, seed))
        {
            schema.Validate(text).Should().BeEmpty("{0} was written for {1}", text, schema);
            IndependentValidator.Allows(schema.ToString(), text).Should().NotBe(false, "{0} was written for {1}", text, schema);
        }
    }

    /// <summary>Returns random texts of the grammar.</summary>
    public static IEnumerable<string> Texts(JsonSchema schema, int count, int seed = 1)
    {
        Gbnf grammar = Gbnf.Read(schema.ToGrammar());
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            string text = grammar.Sample(random);
            FluentActions.Invoking(() => JsonDocument.Parse(text)).Should().NotThrow("{0} was written for {1}", text, schema);
            yield return text;
        }
    }

    /// <summary>Determines whether the grammar allows a text.</summary>
    public static bool Allows(string schema, string text) => Gbnf.Read(JsonSchema.Parse(schema).ToGrammar()).Matches(text);
}
