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
    [TestCase("""{"properties":{"a":false}}""", "*#/properties/a allows nothing*")]
    [TestCase("""{"properties":{"a":3}}""", "*#/properties/a is not a schema*")]
    [TestCase("""{"properties":[]}""", "*# has properties that are not an object*")]
    [TestCase("""{"type":"text"}""", "*unknown type 'text'*")]
    [TestCase("""{"type":[]}""", "*a type that is neither*")]
    [TestCase("""{"type":"string","colour":"red"}""", "*'colour'*")]
    [TestCase("""{"not":{"type":"string"}}""", "*'not'*")]
    [TestCase("""{"type":"array","uniqueItems":true}""", "*'uniqueItems'*")]
    [TestCase("""{"type":"array","contains":{"type":"string"}}""", "*'contains'*")]
    [TestCase("""{"type":"object","minProperties":1}""", "*'minProperties'*")]
    [TestCase("""{"type":"object","patternProperties":{"a":{}}}""", "*'patternProperties'*")]
    [TestCase("""{"type":"object","properties":{},"if":{},"then":{}}""", "*'if'*")]
    [TestCase("""{"type":"object","properties":{"a":{}},"required":["b"]}""", "*'b'*not one of its properties*")]
    [TestCase("""{"type":"number","minimum":1}""", "*bounds a number*minimum*")]
    [TestCase("""{"minimum":1}""", "*no type*")]
    [TestCase("""{"properties":{},"minLength":1}""", "*no type*object and string*")]
    [TestCase("""{"type":"integer","multipleOf":5}""", "*'multipleOf'*")]
    [TestCase("""{"type":"integer","minimum":5,"maximum":4}""", "*minimum that is greater than its maximum*")]
    [TestCase("""{"type":"string","minLength":5,"maxLength":4}""", "*minLength that is greater than its maxLength*")]
    [TestCase("""{"type":"string","minLength":-1}""", "*'minLength'*not a non-negative integer*")]
    [TestCase("""{"type":"string","format":"email"}""", "*format 'email'*")]
    [TestCase("""{"type":"string","format":"date","minLength":3}""", "*more than one*")]
    [TestCase("""{"type":"string","pattern":"(?=a)b"}""", "*pattern*look-around*")]
    [TestCase("""{"type":"string","pattern":"^(a$"}""", "*pattern*anchor*")]
    [TestCase("""{"type":"array","prefixItems":[{"type":"null"}],"items":{"type":"null"}}""", "*items after*")]
    [TestCase("""{"type":"array","prefixItems":[{"type":"null"}],"minItems":2}""", "*items after*")]
    [TestCase("""{"enum":[]}""", "*'enum'*empty*")]
    [TestCase("""{"type":"string","enum":[1,2]}""", "*enum without any value*")]
    [TestCase("""{"enum":["a"],"minLength":2}""", "*minLength next to enum*")]
    [TestCase("""{"anyOf":[{"$ref":"#/$defs/a"}],"minLength":2,"$defs":{"a":{"type":"string"}}}""", "*next to $ref*")]
    [TestCase("""{"$ref":"http://example.org/a.json"}""", "*only references within the schema*")]
    [TestCase("""{"$ref":"#/$defs/a","minLength":2,"$defs":{"a":{"type":"string"}}}""", "*minLength next to $ref*")]
    [TestCase("""{"oneOf":[{"type":"integer"},{"type":"number"}]}""", "*at the same time*anyOf*")]
    [TestCase("""{"allOf":[{"type":"object","properties":{"a":{}}},{"type":"object","properties":{"b":{}}}]}""", "*allOf*")]
    public void Schema_that_cannot_be_honoured_is_refused(string schema, string message) =>
        FluentActions.Invoking(() => JsonSchema.Parse(schema)).Should().Throw<ArgumentException>().WithMessage(message);

    [TestCase("""{"$ref":"#/$defs/none"}""", "*#/$defs/none*not found*")]
    [TestCase("""{"$ref":"#"}""", "*left recursion*")]
    [TestCase("""{"type":"string","maxLength":100000,"minLength":90000}""", "*repetition*")]
    public async Task What_the_converter_finds_is_told_to_the_reader(string schema, string message) =>
        await _session.Awaiting(it => it.GenerateAsync("x", new SamplingOptions { JsonSchema = JsonSchema.Parse(schema) }).StartAsync())
            .Should().ThrowAsync<ArgumentException>().WithMessage(message);

    [Test]
    public void Grammar_and_schema_exclude_each_other() => _session
        .Invoking(it => it.GenerateAsync("x", new SamplingOptions { JsonSchema = JsonSchema.Parse("{}"), Grammar = "root ::= \"a\"" }))
        .Should().Throw<ArgumentException>().WithMessage("*JsonSchema*both*");

    [Test]
    public void Deep_schema_and_long_names_are_refused()
    {
        string deep = string.Concat(Enumerable.Repeat("""{"items":""", 70)) + "{}" + new string('}', 70);
        FluentActions.Invoking(() => JsonSchema.Parse(deep)).Should().Throw<ArgumentException>();
        string name = new('-', 300);
        FluentActions.Invoking(() => JsonSchema.Parse("{\"properties\":{\"" + name + "\":{}}}")).Should().Throw<ArgumentException>().WithMessage("*300 characters*");
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
