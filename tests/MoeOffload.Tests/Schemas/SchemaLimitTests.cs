using System.Globalization;
using FluentAssertions;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

/// <summary>Schemas that combine, refer and repeat without end are converted or refused within limits.</summary>
[TestFixture]
public sealed class SchemaLimitTests
{
    private static IEnumerable<TestCaseData> Hostile()
    {
        string definitions = string.Join(',', Enumerable.Range(0, 60).Select(i =>
            $"'d{i}':" + "{'anyOf':[" + string.Concat(Enumerable.Range(0, 3).Select(k => "{'$ref':'#/$defs/d" + (((i * 7) + k) % 60) + "'},"))
            + "{'type':'object','properties':{'x':{'$ref':'#/$defs/d" + ((i + 1) % 60) + "'}}}]}"));
        yield return Row("references", "{'$ref':'#/$defs/d0','$defs':{" + definitions + "}}");
        yield return Row("combinations", "{'type':'object','allOf':[" + Each(40, "{'anyOf':[{'required':['a#']},{'required':['b#']}]}") + "]}");
        yield return Row("dependencies", "{'type':'object','dependentRequired':{" + Each(30, "'a#':['b#']") + "}}");
        yield return Row("pattern", """{"type":"string","pattern":"(a|b)*a(a|b){30}"}""");
        yield return Row("patterns", """{"type":"string","pattern":"^(.*a.{0,12}b){1,10}$","not":{"pattern":"(x|y)*x(x|y){9}"}}""");
        yield return Row("values", "{'type':'array','items':{'enum':[" + Each(3000, "#") + "]},'uniqueItems':true,'minItems':10,'maxItems':2000}");
        yield return Row("bound", "{'type':'number','minimum':" + new string('9', 390) + "}");
        yield return Row("exponent", """{"type":"number","minimum":1e999999999,"maximum":1e-999999999}""");
    }

    [TestCaseSource(nameof(Hostile))]
    public void Hostile_schema_is_refused_or_left_open(string schema)
    {
        FluentActions.Invoking(() => JsonSchema.Parse(schema)).Should().Throw<ArgumentException>();
        JsonSchema.ParseLenient(schema).Unenforced.Should().NotBeEmpty();
    }

    [Test]
    public void Many_conditions_on_a_constant_exclude_each_other()
    {
        string schema = Json(
            "{'type':'object','properties':{'k':{'enum':[" + Each(20, "'v#'") + "]}},'required':['k'],"
            + "'allOf':[" + Each(20, "{'if':{'properties':{'k':{'const':'v#'}}},'then':{'required':['r#']}}") + "]}");

        GrammarSampler.Allows(schema, """{"k":"v7","r7":1}""").Should().BeTrue();
        GrammarSampler.Allows(schema, """{"k":"v7","r8":1}""").Should().BeFalse();
    }

    [Test]
    public void Long_lists_and_strings_are_converted()
    {
        GrammarSampler.Allows(Json("{'enum':[" + Each(5000, "'value #'") + "]}"), "\"value 4321\"").Should().BeTrue();
        GrammarSampler.Allows("""{"type":"string","pattern":"^[a-z][a-z0-9-]*$","maxLength":1000000}""", "\"a-1\"").Should().BeTrue();
        GrammarSampler.Allows("""{"type":"string","pattern":"^[a-z]+$","maxLength":99999999999}""", "\"a1\"").Should().BeFalse();
        string schema = """{"type":"string","minLength":2500,"maxLength":3500}""";
        GrammarSampler.Allows(schema, $"\"{new string('a', 2500)}\"").Should().BeTrue();
        GrammarSampler.Allows(schema, $"\"{new string('a', 3500)}\"").Should().BeTrue();
        GrammarSampler.Allows(schema, $"\"{new string('a', 2499)}\"").Should().BeFalse();
        GrammarSampler.Allows(schema, $"\"{new string('a', 3501)}\"").Should().BeFalse();
    }

    private static string Each(int count, string text) =>
        string.Join(',', Enumerable.Range(0, count).Select(i => text.Replace("#", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)));

    private static string Json(string text) => text.Replace('\'', '"');

    private static TestCaseData Row(string name, string schema) => new TestCaseData(Json(schema)).SetArgDisplayNames(name);
}
