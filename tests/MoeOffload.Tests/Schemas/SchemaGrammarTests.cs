using FluentAssertions;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

/// <summary>What the grammar of a schema allows and forbids.</summary>
[TestFixture]
public sealed class SchemaGrammarTests
{
    public static IEnumerable<string> Schemas => [.. Rows().Select(row => (string)row.Arguments[0]!)];

    private static IEnumerable<TestCaseData> Rows()
    {
        yield return Row(
            """{"type":"integer","minimum":100}""",
            allows: ["""100""", """101""", """1000""", """999"""],
            forbids: ["""12""", """18""", """99""", """0100""", """-100""", """1e2"""]);
        yield return Row(
            """{"type":"integer","minimum":1024}""",
            allows: ["""1024""", """1030""", """2000""", """10000"""],
            forbids: ["""12""", """193""", """1023""", """999"""]);
        yield return Row(
            """{"type":"integer","minimum":2000}""",
            allows: ["""2000""", """2001""", """10000"""],
            forbids: ["""193""", """1999""", """200"""]);
        yield return Row(
            """{"type":"integer","maximum":-1}""",
            allows: ["""-1""", """-5""", """-196"""],
            forbids: ["""-05""", """-0196""", """0""", """-0""", """1"""]);
        yield return Row(
            """{"type":"integer","exclusiveMaximum":0}""",
            allows: ["""-1"""],
            forbids: ["""0""", """-0""", """-01"""]);
        yield return Row(
            """{"type":"integer","minimum":1e19}""",
            allows: ["""10000000000000000000""", """20000000000000000000"""],
            forbids: ["""1""", """9999999999999999999"""]);
        yield return Row(
            """{"type":"integer","maximum":-1e19}""",
            allows: ["""-10000000000000000000"""],
            forbids: ["""-1""", """0""", """-9999999999999999999"""]);
        yield return Row(
            """{"type":"number","minimum":0,"maximum":1}""",
            allows: ["""0""", """1""", """0.5""", """0.0""", """1.0""", """0.999"""],
            forbids: ["""1.1""", """-0.1""", """2""", """1.01""", """01""", """.5""", """1.""", """5e-1"""]);
        yield return Row(
            """{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1.25}""",
            allows: ["""0.1""", """1""", """1.2""", """1.24""", """1.249"""],
            forbids: ["""0""", """0.0""", """1.25""", """1.250""", """1.3""", """-1"""]);
        yield return Row(
            """{"type":"number","minimum":-1.5,"maximum":-0.25}""",
            allows: ["""-1.5""", """-1""", """-0.25""", """-0.3""", """-1.50"""],
            forbids: ["""-1.6""", """-0.2""", """0""", """-1.51""", """1"""]);
        yield return Row(
            """{"type":"number","multipleOf":0.5}""",
            allows: ["""0""", """0.5""", """1.5""", """-2.5""", """3""", """2.0"""],
            forbids: ["""0.25""", """0.7""", """1.55"""]);
        yield return Row(
            """{"type":"integer","multipleOf":7,"minimum":10}""",
            allows: ["""14""", """21""", """700"""],
            forbids: ["""7""", """15""", """0"""]);
        yield return Row(
            """{"type":"number","multipleOf":0.01}""",
            allows: ["""0.07""", """19.99""", """1"""],
            forbids: ["""0.005""", """1.234"""]);
        yield return Row(
            """{"type":"integer","multipleOf":1000}""",
            allows: ["""0""", """1000""", """-3000"""],
            forbids: ["""500""", """1001"""]);
        yield return Row(
            """{"properties":{"foo":{"type":"integer"}},"type":"object","additionalProperties":true}""",
            allows: ["""{"foo":1}""", """{"foo":1,"bar":true}""", """{"fo":2}""", """{"fooo":2}"""],
            forbids: ["""{"\u0066oo":true}""", """{"foo":true}""", """{"foo":1,"foo":true}""", "{\"a\nb\":1}", """{"a\":1}"""]);
        yield return Row(
            """{"properties":{"a\"b":{"type":"integer"}},"type":"object","additionalProperties":{"type":"string"}}""",
            allows: ["""{"a\"b":1}""", """{"a":"x"}"""],
            forbids: ["""{"a\"b":"x"}""", """{"a\u0022b":"x"}"""]);
        yield return Row(
            """{"type":"object","properties":{"a":{}},"additionalProperties":false,"anyOf":[{"properties":{"b":{}},"required":["b"]},{}]}""",
            allows: ["""{"a":1}""", """{}"""],
            forbids: ["""{"b":1}""", """{"a":1,"b":1}"""]);
        yield return Row(
            """{"allOf":[{"properties":{"foo":{}}}],"additionalProperties":{"type":"boolean"},"type":"object"}""",
            allows: ["""{"foo":true}""", """{}"""],
            forbids: ["""{"foo":1}"""]);
        yield return Row(
            """{"type":"string","format":"date"}""",
            allows: ["\"2024-02-29\"", "\"2000-02-29\"", "\"2021-12-31\""],
            forbids: ["\"2021-02-29\"", "\"2020-04-31\"", "\"1900-02-29\"", "\"2020-13-01\"", "\"0000-01-01\""]);
        yield return Row(
            """{"type":"string","format":"date-time"}""",
            allows: ["\"2024-02-29T23:59:59Z\"", "\"2020-04-30T01:02:03.5+05:30\""],
            forbids: ["\"2021-02-29T00:00:00Z\"", "\"2020-04-31T00:00:00Z\"", "\"2020-04-30T24:00:00Z\""]);
        yield return Row(
            """{"type":"object","properties":{"":{"type":"integer"}},"required":[""]}""",
            allows: ["""{"":20}"""],
            forbids: ["""20""", """{}""", """{"":"x"}"""]);
        yield return Row(
            """{"type":"object","properties":{"*":{"type":"integer"}},"required":["*"],"additionalProperties":true}""",
            allows: ["""{"*":1}""", """{"*":1,"a":2}"""],
            forbids: ["""{"a":2}""", """{}"""]);
        yield return Row(
            """{"type":"object","properties":{"a]b":{"type":"integer"},"c\\d":{"type":"null"}},"additionalProperties":{"type":"string"}}""",
            allows: ["""{"a]b":1,"c\\d":null,"e":"x"}"""],
            forbids: ["""{"a]b":"x"}""", """{"c\\d":"x"}"""]);
        yield return Row(
            """{"type":"string","format":"email"}""",
            allows: ["\"a.b@example.org\""],
            forbids: ["\"a@b\"", "\"a b@example.org\"", "\"@example.org\"", "\"a..b@example.org\""]);
        yield return Row(
            """{"type":"string","format":"ipv4"}""",
            allows: ["\"0.0.0.0\"", "\"255.255.255.255\""],
            forbids: ["\"256.0.0.1\"", "\"01.2.3.4\"", "\"1.2.3\""]);
        yield return Row(
            """{"type":"string","format":"ipv6"}""",
            allows: ["\"::\"", "\"::1\"", "\"1:2:3:4:5:6:7:8\"", "\"fe80::1:2\""],
            forbids: ["\"1:2:3\"", "\"1::2::3\"", "\"12345::\"", "\"1:2:3:4:5:6:7:8:9\""]);
        yield return Row(
            """{"type":"string","format":"uri"}""",
            allows: ["\"https://example.org/a?b=c#d\"", "\"urn:isbn:0451450523\""],
            forbids: ["\"example.org\"", "\"/a\"", "\"https://a b\""]);
        yield return Row(
            """{"type":"string","format":"hostname"}""",
            allows: ["\"a.example.org\"", "\"localhost\""],
            forbids: ["\"-a.org\"", "\"a_b.org\"", "\"a..b\""]);
        yield return Row(
            """{"type":"string","format":"uuid"}""",
            allows: ["\"123e4567-e89b-12d3-a456-426614174000\""],
            forbids: ["\"123e4567-e89b-12d3-a456-42661417400\""]);
        yield return Row(
            """{"type":"string","format":"duration"}""",
            allows: ["\"P1DT12H\"", "\"PT5M\"", "\"P2W\""],
            forbids: ["\"P\"", "\"P1DT\"", "\"1D\""]);
        yield return Row(
            """{"type":"string","format":"time"}""",
            allows: ["\"23:59:59Z\"", "\"01:02:03.25+01:00\""],
            forbids: ["\"24:00:00Z\"", "\"01:02:03\""]);
        yield return Row(
            """{"type":"array","items":{"enum":["a","b","c"]},"uniqueItems":true,"minItems":1}""",
            allows: ["""["a"]""", """["c","a"]""", """["b","c","a"]"""],
            forbids: ["""["a","a"]""", """[]""", """["a","b","a"]"""]);
        yield return Row(
            """{"type":"array","items":{"enum":[1,2,3,4,5,6,7,8,9,10]},"uniqueItems":true,"maxItems":3}""",
            allows: ["""[1,5,10]""", """[]""", """[9]"""],
            forbids: ["""[1,1]""", """[1,2,3,4]"""]);
        yield return Row(
            """{"oneOf":[{"type":"object","properties":{"k":{"const":"p"},"x":{"type":"integer"}},"required":["k","x"]},{"type":"object","properties":{"k":{"const":"q"}},"required":["k"]}]}""",
            allows: ["""{"k":"p","x":1}""", """{"k":"q"}"""],
            forbids: ["""{"k":"p"}""", """{"k":"r"}"""]);
        yield return Row(
            """{"oneOf":[{"type":"integer"},{"type":"number"}]}""",
            allows: ["""1.5"""],
            forbids: ["""1"""]);
        yield return Row(
            """{"oneOf":[{"type":"number","multipleOf":1,"maximum":5},{"type":"number","minimum":3}]}""",
            allows: ["""6""", """2"""],
            forbids: ["""4""", """3"""]);
        yield return Row(
            """{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]}]}""",
            allows: ["""{"a":1,"b":"x"}"""],
            forbids: ["""{"a":1}""", """{"b":"x"}"""]);
        yield return Row(
            """{"type":"object","patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}""",
            allows: ["""{"x-a":1}""", """{}"""],
            forbids: ["""{"x-a":"s"}""", """{"y":1}""", """{"\u0078-a":"s"}"""]);
        yield return Row(
            """{"type":"object","patternProperties":{"^x":{"type":"integer"},"y$":{"minimum":5}},"additionalProperties":{"type":"string"}}""",
            allows: ["""{"xa":1}""", """{"xy":7}""", """{"b":"s"}""", """{"ay":5}"""],
            forbids: ["""{"xy":1}""", """{"xa":"s"}""", """{"b":1}""", """{"ay":4}"""]);
        yield return Row(
            """{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"minProperties":1}""",
            allows: ["""{"a":1}""", """{"b":1}""", """{"a":1,"b":2}"""],
            forbids: ["""{}"""]);
        yield return Row(
            """{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}},"maxProperties":2}""",
            allows: ["""{}""", """{"a":1,"c":1}"""],
            forbids: ["""{"a":1,"b":1,"c":1}"""]);
        yield return Row(
            """{"type":"object","additionalProperties":{"type":"integer"},"minProperties":1}""",
            allows: ["""{"a":1}"""],
            forbids: ["""{}"""]);
        yield return Row(
            """{"type":"object","propertyNames":{"pattern":"^[a-c]{1,3}$"}}""",
            allows: ["""{"abc":1}""", """{}"""],
            forbids: ["""{"d":1}""", """{"aaaa":1}"""]);
        yield return Row(
            """{"type":"object","properties":{"a":{},"b":{}},"dependentRequired":{"a":["b"]}}""",
            allows: ["""{}""", """{"b":1}""", """{"a":1,"b":2}"""],
            forbids: ["""{"a":1}"""]);
        yield return Row(
            """{"type":"object","properties":{"c":{"enum":["US","DE"]},"zip":{"type":"string"}},"required":["c","zip"],"if":{"properties":{"c":{"const":"US"}}},"then":{"properties":{"zip":{"pattern":"^[0-9]{5}$"}}},"else":{"properties":{"zip":{"pattern":"^[A-Z]{2}$"}}}}""",
            allows: ["""{"c":"US","zip":"12345"}""", """{"c":"DE","zip":"AB"}"""],
            forbids: ["""{"c":"US","zip":"AB"}""", """{"c":"DE","zip":"12345"}"""]);
        yield return Row(
            """{"not":{"type":"string"}}""",
            allows: ["""1""", """null""", """[]"""],
            forbids: ["\"a\""]);
        yield return Row(
            """{"type":"string","not":{"enum":["a","b"]}}""",
            allows: ["\"c\"", "\"ab\"", "\"\""],
            forbids: ["\"a\"", "\"b\"", "\"\\u0061\""]);
        yield return Row(
            """{"$ref":"#x","$defs":{"a":{"$anchor":"x","type":"integer"}}}""",
            allows: ["""1"""],
            forbids: ["\"a\""]);
        yield return Row(
            """{"properties":{"a":{"$ref":"#/$defs/a~1b"},"b":{"$ref":"#/$defs/c%25d"}},"type":"object","$defs":{"a/b":{"type":"integer"},"c%d":{"type":"null"}}}""",
            allows: ["""{"a":1,"b":null}"""],
            forbids: ["""{"a":null}""", """{"b":1}"""]);
        yield return Row(
            """{"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#"}},"required":["v"]}""",
            allows: ["""{"v":1}""", """{"v":1,"next":{"v":2}}"""],
            forbids: ["""{"next":{"v":2}}""", """{"v":1,"next":{}}"""]);
        yield return Row(
            """true""",
            allows: ["""1""", "\"a\"", """{"a":[null]}"""],
            forbids: ["""a""", """{a:1}"""]);
        yield return Row(
            """{}""",
            allows: ["""1""", "\"a\"", """{"a":[null]}"""],
            forbids: ["""prose""", "\"\\ud83d\"", "\"\\ud83dx\""]);
        yield return Row(
            """{"type":"array","prefixItems":[],"items":{"type":"integer"}}""",
            allows: ["""[]""", """[1,2]"""],
            forbids: ["""["a"]"""]);
        yield return Row(
            """{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""",
            allows: ["""[1,"a"]"""],
            forbids: ["""[1,"a",2]""", """["a",1]"""]);
        yield return Row(
            """{"type":"array","contains":{"const":5},"items":{"type":"integer"}}""",
            allows: ["""[5]""", """[1,5,2]"""],
            forbids: ["""[]""", """[1]"""]);
        yield return Row(
            """{"minimum":5}""",
            allows: ["""5""", """6.5""", "\"a\"", """null"""],
            forbids: ["""4""", """-1""", """4.99"""]);
        yield return Row(
            """{"minLength":3}""",
            allows: ["\"abc\"", """1"""],
            forbids: ["\"ab\""]);
        yield return Row(
            """{"type":"object","properties":{"x":true,"y":false}}""",
            allows: ["""{"x":1}""", """{}"""],
            forbids: ["""{"y":1}"""]);
        yield return Row(
            """{"type":"string","minLength":2.0}""",
            allows: ["\"ab\""],
            forbids: ["\"a\""]);
        yield return Row(
            """{"type":"string","maxLength":3}""",
            allows: ["\"abc\"", "\"😀😀😀\""],
            forbids: ["\"abcd\""]);
        yield return Row(
            """{"type":"string","pattern":"^\\d{3}$","maxLength":5}""",
            allows: ["\"123\""],
            forbids: ["\"12\"", "\"1234\""]);
        yield return Row(
            """{"type":"string","pattern":"b"}""",
            allows: ["\"abc\"", "\"b\""],
            forbids: ["\"ac\"", "\"\""]);
        yield return Row(
            """{"type":"string","pattern":"^(?=.*[a-z])(?=.*[0-9]).{3,}$"}""",
            allows: ["\"a1x\""],
            forbids: ["\"abc\"", "\"a1\""]);
        yield return Row(
            """{"type":["string","null"],"format":"uuid"}""",
            allows: ["""null"""],
            forbids: ["\"x\"", """1"""]);
        yield return Row(
            """{"type":"object","properties":{"a":{"type":"integer"}},"unevaluatedProperties":false,"allOf":[{"properties":{"b":{"type":"null"}}}]}""",
            allows: ["""{"a":1,"b":null}"""],
            forbids: ["""{"c":1}""", """{"b":1}"""]);
        yield return Row(
            """{"const":{"a":[1,"x"]}}""",
            allows: ["""{"a":[1,"x"]}"""],
            forbids: ["""{"a":[1]}"""]);
        yield return Row(
            """{"type":"integer","format":"int32"}""",
            allows: ["""2147483647""", """-2147483648"""],
            forbids: ["""2147483648"""]);
        yield return Row(
            """{"oneOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":1}},"required":["a"]},{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]},{"type":"object","properties":{"c":{}},"required":["c"]}]}""",
            allows: ["""{"a":1}""", """{"b":"x"}"""],
            forbids: ["""{"a":1,"b":"x"}""", "{}", """{"b":"x","c":1}"""]);
    }

    [TestCaseSource(nameof(Rows))]
    public void Grammar_allows_what_the_schema_allows_and_nothing_else(string schema, string[] allows, string[] forbids)
    {
        Gbnf grammar = Gbnf.Read(JsonSchema.Parse(schema).ToGrammar());

        allows.Where(text => !grammar.Matches(text)).Should().BeEmpty();
        forbids.Where(grammar.Matches).Should().BeEmpty();
    }

    [TestCaseSource(nameof(Rows))]
    public void What_the_grammar_writes_is_valid(string schema, string[] allows, string[] forbids) => GrammarSampler.Check(JsonSchema.Parse(schema), 60);

    private static TestCaseData Row(string schema, string[] allows, string[] forbids) => new TestCaseData(schema, allows, forbids).SetArgDisplayNames(schema);
}
