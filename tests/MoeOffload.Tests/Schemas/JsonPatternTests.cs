using System.Text.Json;
using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Inference.Schemas;
using MoeOffload.Native;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

/// <summary>.NET's expressions and ours agree; the random model writes whole characters of one UTF-16 unit only.</summary>
[TestFixture]
public sealed class JsonPatternTests
{
    // What matches it may go on for ever before its end.
    private const string Open = "^a|b$";

    // The first tokens of the vocabulary are the bytes: of these, no parts of characters, and likely a quotation mark, which ends the text.
    private static readonly Dictionary<int, float> s_wholeCharacters =
        new(Enumerable.Range(128, 128).Select(value => KeyValuePair.Create(value, -1000f))) { ['"'] = 45 };

    private static readonly Dictionary<int, float> s_ending = new(s_wholeCharacters) { ['b'] = 45 };

    private static IEnumerable<string> Patterns =>
    [
        "^[a-c]{2,4}$", Open, "^(a|bc){2}$", "^(?:x|y)+?z{0,2}$", "^\\d{3}-\\d{2}$", "^\\w{1,5}$", "^[^a-z0-9 ]{1,4}$", "^\\S{2}\\s\\D{1,2}\\W$",
        "^.{1,6}$", "^é{2}ü$", "^[à-ö]{1,3}$", "^\"{1,2}x\\\\$", "^\\t\\n{2}$", "^[\\d\\-_.]{1,6}$", "^\\$\\{x\\}$", "^\\u0041\\x42{2}$",
        "^(?<year>[0-9]{4})$", "^[\\]\\[]{1,2}$", "^[^\\s\\d]{1,3}$", "^a(|b)c?$", "^[!-~]{3}$",
    ];

    // The converter is native code that must be loaded first.
    [OneTimeSetUp]
    public void LoadLibraries() => _ = SmallModel.Shared;

    [TestCaseSource(nameof(Patterns))]
    public async Task What_is_written_matches_the_pattern(string pattern)
    {
        JsonSchema schema = JsonSchema.Parse(JsonSerializer.Serialize(new Dictionary<string, string> { ["type"] = "string", ["pattern"] = pattern }));
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(length: 512));
        for (uint seed = 1; seed <= 5; seed++)
        {
            var sampling = new SamplingOptions
            {
                JsonSchema = schema,
                Temperature = 5,
                TopK = 0,
                TopP = 1,
                MinP = 0,
                Seed = seed,
                LogitBias = pattern == Open ? s_ending : pattern.All(char.IsAscii) ? s_wholeCharacters : new Dictionary<int, float>(),
            };
            TokenStream stream = session.GenerateAsync("x", sampling, maxTokens: 200);
            string json = SmallModel.Text(await SmallModel.Read(stream));
            stream.StopReason.Should().Be(StopReason.EndOfSequence, json);
            string text = JsonSerializer.Deserialize<string>(json)!;
            text.Should().NotContain("\uFFFD");
            Regex.IsMatch(text, pattern, RegexOptions.ECMAScript).Should().BeTrue("'{0}' of {1}", text, pattern);
        }
    }

    // If the converter cannot read a pattern, it allows any string, and only writes a message to the console.
    [TestCaseSource(nameof(Patterns))]
    public void Converter_reads_what_is_translated(string pattern)
    {
        string schema = JsonSerializer.Serialize(new Dictionary<string, string> { ["type"] = "string", ["pattern"] = JsonPattern.Translate(pattern) });

        NativeChat.ToGrammar(schema, "schema").Should().NotContain("root ::= string");
    }

    [TestCase("(?=a)")]
    [TestCase("(?<!a)b")]
    [TestCase("\\bword")]
    [TestCase("(a)\\1")]
    [TestCase("\\p{L}")]
    [TestCase("a**")]
    [TestCase("a{2}{3}")]
    [TestCase("*a")]
    [TestCase("a{x}")]
    [TestCase("a{3,2}")]
    [TestCase("(a")]
    [TestCase("a)")]
    [TestCase("[a")]
    [TestCase("[z-a]")]
    [TestCase("[\"]")]
    [TestCase("a^b")]
    [TestCase("(^a)")]
    [TestCase("(a$)")]
    [TestCase("\\")]
    [TestCase("\\u12")]
    [TestCase("a]")]
    public void Pattern_without_a_form_is_refused(string pattern) =>
        FluentActions.Invoking(() => JsonPattern.Translate(pattern)).Should().Throw<FormatException>();
}
