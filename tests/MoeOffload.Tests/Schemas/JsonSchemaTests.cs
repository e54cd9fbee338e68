using System.Text.Json;
using FluentAssertions;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

[TestFixture]
public sealed class JsonSchemaTests
{
    private GenerationSession _session = null!;

    [OneTimeSetUp]
    public void Load() => _session = SmallModel.Shared.CreateSession(SmallModel.Context(length: 1024));

    [OneTimeTearDown]
    public void Unload() => _session.Dispose();

    [TestCase("[]", "*not a JSON object*")]
    [TestCase("{", "*not valid JSON*")]
    [TestCase("""{"type":"object","type":"string"}""", "*not valid JSON*")]
    [TestCase("""{"enum":["\ud83d"]}""", "*unpaired surrogate*")]
    [TestCase("""{"properties":{"\ud83d":{}}}""", "*unpaired surrogate*")]
    [TestCase("false", "*allows no value*")]
    [TestCase("""{"type":"object","properties":{"a":false},"required":["a"]}""", "*allows no value*")]
    [TestCase("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "*none that ends*")]
    [TestCase("""{"properties":{"a":3}}""", "*#/properties is not an object of schemas*")]
    [TestCase("""{"properties":[]}""", "*#/properties is not an object of schemas*")]
    [TestCase("""{"type":"text"}""", "*#/type has the unknown type \"text\"*")]
    [TestCase("""{"type":[]}""", "*#/type has the unknown type*")]
    [TestCase("""{"type":"string","maxlength":3}""", "*#/maxlength is not a keyword*'maxLength'*")]
    [TestCase("""{"type":"object","require":["a"]}""", "*#/require is not a keyword*'required'*")]
    [TestCase("""{"type":"object","properties":{"a":{}},"additionalProperties":false,"required":["b"]}""", "*allows no value*")]
    [TestCase("""{"type":"object","required":null}""", "*#/required is not a list of names*")]
    [TestCase("""{"type":"array","uniqueItems":true}""", "*#/uniqueItems*listed*")]
    [TestCase("""{"type":"number","multipleOf":0.00123}""", "*#/multipleOf*up to three digits*")]
    [TestCase("""{"type":"integer","minimum":5,"maximum":4}""", "*allows no value*")]
    [TestCase("""{"type":"string","minLength":5,"maxLength":4}""", "*allows no value*")]
    [TestCase("""{"type":"string","minLength":-1}""", "*#/minLength*not a number of characters*")]
    [TestCase("""{"type":"string","format":"regex"}""", "*#/format is 'regex'*date*uuid*")]
    [TestCase("""{"type":"string","pattern":"a(?=a)b"}""", "*#/pattern*look-around*")]
    [TestCase("""{"type":"string","pattern":"(a)\\1"}""", "*#/pattern*cannot be expressed*")]
    [TestCase("""{"enum":[]}""", "*allows no value*")]
    [TestCase("""{"enum":3}""", "*#/enum is not a list*")]
    [TestCase("""{"type":"string","enum":[1,2]}""", "*allows no value*")]
    [TestCase("""{"type":"string","const":5}""", "*allows no value*")]
    [TestCase("""{"type":"integer","const":1.5}""", "*allows no value*")]
    [TestCase("""{"$ref":"http://example.org/a.json"}""", "*#/$ref refers to*only references such as*")]
    [TestCase("""{"$ref":"#/$defs/none"}""", "*#/$ref refers to '#/$defs/none'*not part*")]
    [TestCase("""{"$ref":"#"}""", "*leads back to itself*")]
    [TestCase("""{"oneOf":[{"type":"string","format":"date"},{"type":"string","format":"time"},{"type":"string","format":"email"},{"type":"string"}]}""", "*#/oneOf*at the same time*anyOf*")]
    [TestCase("""{"type":"object","additionalProperties":true,"minProperties":3}""", "*#/minProperties*")]
    public void Schema_that_cannot_be_honoured_is_refused(string schema, string message) =>
        FluentActions.Invoking(() => JsonSchema.Parse(schema)).Should().Throw<ArgumentException>().WithMessage(message);

    [Test]
    public void Grammar_and_schema_exclude_each_other() => _session
        .Invoking(it => it.GenerateAsync("x", new SamplingOptions { JsonSchema = JsonSchema.Parse("{}"), Grammar = "root ::= \"a\"" }))
        .Should().Throw<ArgumentException>().WithMessage("*JsonSchema*both*");

    [Test]
    public void Deep_and_long_schemas_are_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("""{"items":""", 70)) + "{}" + new string('}', 70);
        FluentActions.Invoking(() => JsonSchema.Parse(deep)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => JsonSchema.Parse($$"""{"title":"{{new string('a', 300_000)}}"}""")).Should().Throw<ArgumentException>().WithMessage("*characters*");
    }

    [TestCase("""{"type":"object","properties":{"a":{"type":"integer","minimum":-3,"exclusiveMaximum":12},"b":{"type":"boolean"}},"required":["a"]}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"enum":["x",1,null,{"y":[]}]}},"required":["a"]}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"type":["boolean","null"]},"c":{"const":"k"}},"required":["a","c"]}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"array","prefixItems":[{"type":"boolean"},{"type":"null"}],"items":false}},"required":["a"]}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":3}},"required":["a"]}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","minLength":2,"maxLength":5}},"required":["a"]}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"$ref":"#/$defs/d"}},"required":["a"],"$defs":{"d":{"type":"string","format":"date"}}}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"allOf":[{"$ref":"#/$defs/d"}],"description":"x"}},"required":["a"],"$defs":{"d":{"type":"string","format":"uuid"}}}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"number","minimum":-0.5,"exclusiveMaximum":1},"b":{"type":"string","maxLength":20}},"required":["a"]}""", "a")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"string","pattern":"^[à-ö]{1,3}\\\\?$"}},"required":["a"],"patternProperties":{"^x[0-9]$":{"type":"null"}}}""", "a")]
    [TestCase("""{"oneOf":[{"type":"object","properties":{"a":{"const":"p"}},"required":["a"]},{"type":"object","properties":{"a":{"const":"q"}},"required":["a"]}]}""", "a")]
    [TestCase("""{"type":"object","required":["a"],"anyOf":[{"properties":{"a":{"const":"p"}}},{"properties":{"a":{"const":2}}}]}""", "a")]
    public async Task Output_is_json_of_the_schema(string schema, string property)
    {
        for (uint seed = 1; seed <= 4; seed++)
        {
            var sampling = new SamplingOptions { JsonSchema = JsonSchema.Parse(schema), Temperature = 3, TopK = 0, TopP = 1, MinP = 0, Seed = seed };
            TokenStream stream = _session.GenerateAsync("x", sampling, maxTokens: 400);

            string text = SmallModel.Text(await SmallModel.Read(stream));

            stream.StopReason.Should().Be(StopReason.EndOfSequence, "{0}", text);
            using JsonDocument json = JsonDocument.Parse(text);
            json.RootElement.TryGetProperty(property, out _).Should().BeTrue(text);
        }
    }
}
