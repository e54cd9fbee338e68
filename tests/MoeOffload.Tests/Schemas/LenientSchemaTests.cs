using FluentAssertions;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

[TestFixture]
public sealed class LenientSchemaTests
{
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","pattern":"(a)\\1"},"b":{"type":"integer","minimum":3}},"required":["a","b"]}""", "#/properties/a/pattern")]
    [TestCase("""{"type":"array","items":{"type":"string"},"uniqueItems":true}""", "#/uniqueItems")]
    [TestCase("""{"type":"object","properties":{"a":{"$ref":"https://example.org/x"}}}""", "#/properties/a/$ref")]
    [TestCase("""{"type":"object","required":null,"properties":{"a":{"type":"integer","minimum":null}}}""", "#/required", "#/properties/a/minimum")]
    [TestCase("""{"type":"object","properties":null,"additionalProperties":null}""", "#/properties", "#/additionalProperties")]
    [TestCase("""{"type":"array","items":null}""", "#/items")]
    [TestCase("""{"type":"string","enum":[1]}""", "#")]
    [TestCase("false", "#")]
    public void What_the_grammar_does_not_hold_is_listed(string schema, params string[] pointers)
    {
        JsonSchema lenient = JsonSchema.ParseLenient(schema);

        lenient.Unenforced.Should().BeEquivalentTo(pointers);
        GrammarSampler.Texts(lenient, 20).Should().HaveCount(20);
    }

    [TestCase("""{"type":"object","properties":{"x":true}}""")]
    [TestCase("""{"type":"array","items":true}""")]
    [TestCase("""{"type":"object","properties":{"node":{"$ref":"#"}}}""")]
    [TestCase("""{"type":"string","minLength":2.0}""")]
    public void What_is_valid_is_held(string schema) => JsonSchema.ParseLenient(schema).Unenforced.Should().BeEmpty();

    [Test]
    public void Answer_is_checked_against_the_whole_schema()
    {
        JsonSchema schema = JsonSchema.ParseLenient("""{"type":"object","properties":{"tags":{"type":"array","items":{"type":"string"},"uniqueItems":true}}}""");

        schema.Validate("""{"tags":["a","b"]}""").Should().BeEmpty();
        schema.Validate("""{"tags":["a","a"]}""").Should().Equal(new JsonSchemaViolation("/tags", "#/properties/tags/uniqueItems", "is violated"));
        schema.Validate("""{"tags":""").Should().ContainSingle().Which.Keyword.Should().Be("#");
        schema.Validate("\"\\ud83d\"").Should().NotBeEmpty();
    }
}
