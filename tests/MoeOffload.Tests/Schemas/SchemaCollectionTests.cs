using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

/// <summary>
/// Schemas of configuration files, as projects publish them. The tests have their own, of the same shapes. If the environment variable MOE_SCHEMAS is the
/// path of a directory, its files of up to 60,000 bytes are measured instead.
/// </summary>
[TestFixture]
public sealed partial class SchemaCollectionTests
{
    private const long MaxBytes = 60_000;
    private const double LeastAccepted = 0.6;

    // Each is written for the tests, with keywords that are frequent in published schemas.
    private static readonly string[] s_own =
    [
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://example.org/linter.json","title":"Linter","type":"object","definitions":{"severity":{"description":"How bad it is","oneOf":[{"type":"string","enum":["off","warn","error"]},{"type":"integer","enum":[0,1,2]}]},
         "rule":{"anyOf":[{"$ref":"#/definitions/severity"},{"type":"array","items":[{"$ref":"#/definitions/severity"}],"additionalItems":true,"minItems":1}]}},
         "properties":{"$schema":{"type":"string"},"extends":{"oneOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]},"rules":{"type":"object","additionalProperties":{"$ref":"#/definitions/rule"}},"root":{"type":"boolean","default":false}}}
        """,
        """
        {"$schema":"http://json-schema.org/draft-04/schema#","id":"https://example.org/pipeline.json","type":"object","required":["steps"],"definitions":{"step":{"type":"object","properties":{"run":{"type":"string","minLength":1},"timeout":{"type":"number","minimum":0,"exclusiveMinimum":true},"if":{"type":["string","boolean"]}},"required":["run"],"additionalProperties":false}},
         "properties":{"steps":{"type":"array","minItems":1,"items":{"$ref":"#/definitions/step"}},"env":{"type":"object","patternProperties":{"^[A-Z_]+$":{"type":["string","number"]}},"additionalProperties":false}}}
        """,
        """
        {"$schema":"https://json-schema.org/draft/2020-12/schema","$defs":{"port":{"type":"integer","minimum":1,"maximum":65535},"path":{"type":"string","pattern":"^/"}},"type":"object","properties":{"listen":{"anyOf":[{"$ref":"#/$defs/port"},{"type":"string","pattern":"^[a-z.]+:[0-9]+$"}]},"root":{"$ref":"#/$defs/path"},"url":{"type":"string","format":"uri"}},"required":["listen"],"unevaluatedProperties":false}
        """,
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"kind":{"type":"string","enum":["file","http"]},"path":{"type":"string"},"address":{"type":"string"}},"required":["kind"],
         "allOf":[{"if":{"properties":{"kind":{"const":"file"}}},"then":{"required":["path"]}},{"if":{"properties":{"kind":{"const":"http"}}},"then":{"required":["address"]}}]}
        """,
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","patternProperties":{"^x-":{}},"properties":{"version":{"type":"string","pattern":"^[0-9]+\\.[0-9]+\\.[0-9]+$","examples":["1.0.0"]},"license":{"type":"string","description":"An identifier","enum":["MIT","Apache-2.0"]},"authors":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"email":{"type":"string","format":"email"}}}}},"additionalProperties":false}
        """,
        """
        {"type":"array","items":{"oneOf":[{"type":"object","properties":{"type":{"const":"add"},"value":{}},"required":["type","value"]},{"type":"object","properties":{"type":{"const":"remove"},"path":{"type":"string"}},"required":["type","path"]}]}}
        """,
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"targets":{"type":"array","uniqueItems":true,"items":{"type":"string","enum":["x64","arm64","x86"]}},"options":{"type":"object","minProperties":1,"additionalProperties":{"type":["string","number","boolean","null"]}},"children":{"type":"array","items":{"$ref":"#"}}}}
        """,
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"tags":{"type":"array","uniqueItems":true,"items":{"type":"string"}}}}
        """,
        """
        {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"base":{"$ref":"https://example.org/other.json#/definitions/base"}}}
        """,
    ];

    [Test]
    public void Most_schemas_are_accepted_and_none_writes_what_it_forbids()
    {
        (string Name, string Schema)[] all = [.. Read()];
        var refused = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        List<string> unsound = [];
        foreach ((string name, string schema) in all)
        {
            try
            {
                GrammarSampler.Check(JsonSchema.Parse(schema), count: 20);
            }
            catch (ArgumentException error)
            {
                string kind = Kind(error.Message);
                (refused.TryGetValue(kind, out List<string>? names) ? names : refused[kind] = []).Add(name);
            }
            catch (Exception error) when (error is AssertionException or FormatException)
            {
                unsound.Add($"{name}: {error.Message[..Math.Min(error.Message.Length, 1000)]}");
            }
        }

        int accepted = all.Length - refused.Values.Sum(names => names.Count);
        TestContext.Out.WriteLine($"{accepted} of {all.Length} accepted");
        foreach ((string kind, List<string> names) in refused.OrderByDescending(it => it.Value.Count))
        {
            TestContext.Out.WriteLine($"{names.Count} {kind} ({string.Join(", ", names.Take(3))})");
        }

        unsound.Should().BeEmpty();
        ((double)accepted / all.Length).Should().BeGreaterThanOrEqualTo(LeastAccepted);
    }

    private static IEnumerable<(string Name, string Schema)> Read() => Environment.GetEnvironmentVariable("MOE_SCHEMAS") is { Length: > 0 } directory
        ? Directory.EnumerateFiles(directory, "*.json", SearchOption.AllDirectories).Where(path => new FileInfo(path).Length < MaxBytes).Order(StringComparer.Ordinal)
            .Select(path => (Path.GetFileName(path), File.ReadAllText(path)))
        : s_own.Select((schema, index) => ($"own {index}", schema));

    // The keyword and the reason, without what is only in this schema.
    private static string Kind(string message)
    {
        Match match = Location().Match(message);
        string reason = match.Success ? $"{match.Groups[1].Value}: {match.Groups[2].Value}" : message;
        return Quoted().Replace(reason, "'...'")[..Math.Min(Quoted().Replace(reason, "'...'").Length, 110)];
    }

    [GeneratedRegex(@"cannot be enforced: #\S*?/?([^/\s]*) (.*)$", RegexOptions.Singleline)]
    private static partial Regex Location();

    [GeneratedRegex("'[^']*'|[^ ]*[\\^\\[\\\\$][^ ]*")]
    private static partial Regex Quoted();
}
