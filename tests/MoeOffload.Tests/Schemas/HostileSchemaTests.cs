using System.Globalization;
using System.Text;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

/// <summary>
/// Small schemas that mean much work end in a grammar or are refused, within an amount of work that is counted. What they allocate is about the same
/// on every machine, and in proportion to the work.
/// </summary>
[TestFixture]
public sealed class HostileSchemaTests
{
    private const long MaxAllocated = 6L << 30;

    private static IEnumerable<TestCaseData> Hostile()
    {
        yield return Row("products of allOf", $"{{{Definitions(60, i => $"{{'allOf':[{Ref(i + 1)},{Ref(i + 1)}]}}")},'$ref':'#/$defs/d0'}}");
        yield return Row("products of anyOf", $"{{'allOf':[{Each(200, "{'anyOf':[{'minimum':@},{'multipleOf':@},{'required':['a@']}]}")}]}}");
        yield return Row("products of oneOf", $"{{'allOf':[{Each(60, "{'oneOf':[{'required':['a@']},{'required':['b@']},{'required':['c@']}]}")}]}}");
        yield return Row("alternatives that overlap", $"{{'oneOf':[{Each(44, "{'type':'object','properties':{'p@':{'type':'string'}}}")}]}}");
        yield return Row("negations", $"{{'allOf':[{Each(300, "{'not':{'properties':{'a@':{'type':'string'},'b@':{'type':'null'}},'required':['c@']}}")}]}}");
        yield return Row("conditions", $"{{'allOf':[{Each(200, "{'if':{'properties':{'k':{'const':@}}},'then':{'required':['r@']},'else':{'required':['s@']}}")}]}}");
        yield return Row("a value found through allOf", $"{{{Definitions(9, i => $"{{'allOf':[{Each(10, Ref(i + 1))}]}}")},'$ref':'#/$defs/d0'}}");
        yield return Row("chain of references", $"{{{Definitions(4000, i => Ref(i + 1))},'$ref':'#/$defs/d0'}}");
        yield return Row("chain of members", $"{{{Definitions(3000, i => $"{{'properties':{{'x':{Ref(i + 1)}}},'required':['x']}}")},'$ref':'#/$defs/d0'}}");
        yield return Row("chain of alternatives", $"{{{Definitions(2000, i => $"{{'anyOf':[{Ref(i + 1)},{{'properties':{{'x':{Ref(i + 1)}}}}}]}}")},'$ref':'#/$defs/d0'}}");
        yield return Row("required names, many times", $"{{'allOf':[{Each(3000, Ref(0))},{Each(3000, Ref(1))}],{Definitions(2, i => $"{{'required':[{Each(5000, $"'{i}@'")}]}}")}}}");
        yield return Row("listed values, many times", $"{{'allOf':[{Each(3000, Ref(0))},{Each(3000, Ref(1))}],{Definitions(2, _ => $"{{'enum':[{Each(8000, "@")}]}}")}}}");
        yield return Row("listed values beside many schemas", $"{{'enum':[{Each(20_000, "@")}],'allOf':[{Each(3000, "{'not':{'const':-@}}")}]}}");
        yield return Row("values that are excluded", $"{{'type':'string','not':{{'enum':[{Each(15_000, "'a@'")}]}}}}");
        yield return Row("numbers that are excluded", $"{{'type':'number','not':{{'enum':[{Each(20_000, "@.5")}]}}}}");
        yield return Row("characters that are excluded", $"{{'type':'string','not':{{'const':'{Characters(30_000)}'}}}}");
        yield return Row("names with many characters", $"{{'type':'object','properties':{{{Each(300, "'@" + Characters(500) + "':{}")}}},'additionalProperties':true}}");
        yield return Row("places that must not match", $"{{'not':{{'prefixItems':[{Each(60_000, "{}")}]}}}}");
        yield return Row("properties that must not match", $"{{'not':{{'properties':{{{Each(12_000, "'a@':false")}}}}}}}");
        yield return Row("names beside patterns", $"{{'type':'object','properties':{{{Each(5000, "'a@':{}")}}},'patternProperties':{{{Each(6000, "'a@':{}")}}}}}");
        yield return Row("keywords that are unknown", $"{{'allOf':[{Each(5000, Ref(0))}],{Definitions(1, _ => $"{{{Each(10_000, "'x-@':0")}}}")}}}");
        yield return Row("long names around many values", $"{{'properties':{{'{new string('n', 100_000)}':{{'properties':{{{Each(12_000, "'a@':{}")}}}}}}}}}");
        yield return Row("a long reference, many times", $"{{'allOf':[{Each(2000, "{'$ref':'#'}")}],'$ref':'#/a{new string('/', 180_000)}'}}");
        yield return Row("long numbers", $"{{'enum':[{new string('9', 200_000)}]}}");
        yield return Row("bounds", $"{{'anyOf':[{Each(4000, "{'minimum':@.123456789,'maximum':9@.987654321}")}]}}");
        yield return Row("nested repetitions", $"{{'anyOf':[{Each(4000, "{'pattern':'^(([a-z@]{1,40}){1,40}){1,12}x@$'}")}]}}");
        yield return Row("patterns that remember", $"{{'anyOf':[{Each(5000, "{'pattern':'(a|b)*a(a|b){30}@'}")}]}}");
        yield return Row("patterns with many characters", $"{{'pattern':'^{Characters(6000)}$'}}");
        yield return Row("classes that overlap", $"{{'pattern':'^{string.Concat(Enumerable.Range(0x100, 4500).Select(i => $"[Ā-\\\\u{i:x4}]"))}$'}}");
        yield return Row("classes with many ranges", $"{{'pattern':'^[{string.Concat(Enumerable.Range(0, 40_000).Select(_ => "\\\\p{L}"))}]$'}}");
        yield return Row("classes of categories", $"{{'pattern':'^({string.Join('|', Enumerable.Range(0, 7000).Select(i => $"[\\\\p{{L}}{(char)(0x2500 + i)}]"))})$'}}");
        yield return Row("long chain", $"{{'pattern':'^(?:[a-z]{{3900}}|[{Characters(500)}])$'}}");
        yield return Row("many items of long strings", $"{{'type':'array','minItems':2000000000,'items':{{'type':'string','minLength':2000000000}}}}");
        yield return Row("tuples of tuples", $"{{{Definitions(40, i => $"{{'prefixItems':[{Each(20, Ref(i + 1))}],'minItems':20}}")},'$ref':'#/$defs/d0'}}");
        yield return Row("unique values", $"{{'type':'array','uniqueItems':true,'maxItems':100,'items':{{'enum':[{Each(150, "'@" + new string('x', 1000) + "'")}]}}}}");
        yield return Row("members that are counted", $"{{'anyOf':[{Each(2000, "{'type':'object','properties':{'a@':{},'b':{},'c':{}},'minProperties':2,'maxProperties':5000}")}]}}");
    }

    [TestCaseSource(nameof(Hostile))]
    public void Hostile_schema_ends_within_a_bounded_amount_of_work(string schema)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            JsonSchema.Parse(schema).ToGrammar().Should().NotBeEmpty();
        }
        catch (ArgumentException error)
        {
            error.Message.Should().StartWith("The JSON schema");
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(MaxAllocated);
    }

    [TestCaseSource(nameof(Hostile))]
    public void Answer_is_checked_within_a_bounded_amount_of_work(string schema)
    {
        if (TryParseLeniently(schema) is not { } lenient)
        {
            return;
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (string text in (string[])["\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", $"[{Each(300, "@")},{{{Each(300, "\"a@\":{\"x\":{\"x\":[1]}}")}}}]"])
        {
            lenient.Validate(text).Should().NotBeNull();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(MaxAllocated);
    }

    [Test]
    public void Hostile_tools_do_not_make_a_request_fail()
    {
        ChatTemplate template = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.Qwen3));
        string[] schemas = [.. Hostile().Select(row => (string)row.Arguments[0]!).Where(schema => schema.Length < 100_000)];
        ToolDefinition[] tools =
        [
            new() { Name = "good", Parameters = """{"type":"object","properties":{"n":{"type":"integer","minimum":100}},"required":["n"],"additionalProperties":false}""" },
            .. schemas.Select((schema, index) => new ToolDefinition { Name = $"hostile_{index}", Parameters = schema }),
        ];

        RenderedChat chat = template.Render([ChatMessage.User("Hi")], new ChatOptions { Tools = tools, ToolChoice = ToolChoice.Required, Reasoning = false });

        Gbnf grammar = Gbnf.Read(chat.Grammar!);
        grammar.Matches("<tool_call>\n{\"name\": \"good\", \"arguments\": {\"n\":100}}\n</tool_call>").Should().BeTrue();
        grammar.Matches("<tool_call>\n{\"name\": \"good\", \"arguments\": {\"n\":12}}\n</tool_call>").Should().BeFalse();
    }

    [Test]
    public void Many_tools_share_the_space_of_a_grammar()
    {
        ChatTemplate template = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.Qwen3));
        ToolDefinition[] tools =
        [
            .. Enumerable.Range(0, 300).Select(i => new ToolDefinition
            {
                Name = $"tool_{i}",
                Parameters = Json($"{{'type':'object','properties':{{{Each(8, "'p@':{'type':'string','maxLength':4000}")}}}}}"),
            }),
        ];

        RenderedChat chat = template.Render([ChatMessage.User("Hi")], new ChatOptions { Tools = tools });

        chat.Grammar.Should().Contain("tool_299");
    }

    private static JsonSchema? TryParseLeniently(string schema)
    {
        try
        {
            return JsonSchema.ParseLenient(schema);
        }
        catch (ArgumentException)
        {
            // Its JSON is too large.
            return null;
        }
    }

    private static string Definitions(int count, Func<int, string> schemaOf) =>
        $"'$defs':{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"'d{i}':{schemaOf(i)}"))},'d{count}':{{'type':'integer'}}}}";

    private static string Ref(int definition) => $"{{'$ref':'#/$defs/d{definition}'}}";

    // Characters of Chinese, none of which occurs twice.
    private static string Characters(int count) => Enumerable.Range(0x3400, count).Aggregate(new StringBuilder(), (text, code) => text.Append((char)(code < 0xD800 ? code : code + 0x1000))).ToString();

    private static string Each(int count, string text) =>
        string.Join(',', Enumerable.Range(0, count).Select(i => text.Replace("@", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)));

    private static string Json(string text) => text.Replace('\'', '"');

    private static TestCaseData Row(string name, string schema) => new TestCaseData(Json(schema)).SetArgDisplayNames(name);
}
