using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>The answers are those of std::regex (libstdc++ 12) to the same patterns.</summary>
[TestFixture]
public sealed class PlacementPatternTests
{
    [TestCase("exps", "blk.0.ffn_up_exps.weight", true)]
    [TestCase("^exps", "blk.0.ffn_up_exps.weight", false)]
    [TestCase(@"^blk\.\d+\.", "blk.12.attn_q.bias", true)]
    [TestCase(@"^blk\.\d\.", "blk.12.attn_q.bias", false)]
    [TestCase(@"weight$", "output.weight", true)]
    [TestCase("", "output.weight", true)]
    [TestCase("[]", "output.weight", false)]
    [TestCase("[^]", "output.weight", true)]
    [TestCase("[^]", "", false)]
    [TestCase("[a-c]{2,}", "aabbab", true)]
    [TestCase("x{0}", "", true)]
    [TestCase("(a*)*", "aabbab", true)]
    [TestCase("(a|)*b$", "aabbab", true)]
    [TestCase("^(?:a|b)+?$", "aabbab", true)]
    [TestCase(@"(a)(b)\2\1", "abba", true)]
    [TestCase(@"(a)b\1\1", "aabbab", false)]
    [TestCase(@"(a)?\1b", "b", false)]
    [TestCase(@"a(?=b)", "aab", true)]
    [TestCase(@"a(?!a|b)", "aab", false)]
    [TestCase(@"\bq\b", "attn.q", true)]
    [TestCase(@"\bq\b", "attn_q", false)]
    [TestCase(@"n\Bq", "nq", true)]
    [TestCase(@"[[:digit:][:UPPER:]]", "abcX", true)]
    [TestCase(@"[\d_]+$", "attn_9", true)]
    [TestCase(@"[\D]", "123", false)]
    [TestCase(@"\x61\u0062", "ab", true)]
    [TestCase(@"a**+?", "b", true)]
    [TestCase("a}]", "a}]", true)]
    [TestCase("[a-]", "-", true)]
    [TestCase("[--0]", ".", true)]
    [TestCase("[a-b-d]", "c", false)]
    [TestCase("[[.a.][=b=]]", "b", true)]
    [TestCase("é", "é", true)]
    [TestCase("^.$", "é", false)]
    public void A_sound_pattern_is_searched_as_std_regex_searches(string pattern, string name, bool found) =>
        PlacementPattern.Parse(pattern).IsFoundIn(name).Should().Be(found);

    [TestCase("(", "character 1 (() opens a parenthesis*")]
    [TestCase("a(b", "character 2 (() opens a parenthesis*")]
    [TestCase("a)", "character 2 ()) closes no parenthesis*")]
    [TestCase("*a", "character 1 (*) has nothing before it to repeat*")]
    [TestCase("a|+", "character 3 (+) has nothing before it to repeat*")]
    [TestCase("(?)", "character 1 (() opens a special group*")]
    [TestCase("(*)", "character 2 (*) has nothing before it to repeat*")]
    [TestCase("(?<n>a)", "character 1 (() opens a special group*")]
    [TestCase("(?i)a", "character 1 (() opens a special group*")]
    [TestCase("^*", "character 2 (*) has nothing before it to repeat*")]
    [TestCase("(?=a)+", "character 6 (+) has nothing before it to repeat*")]
    [TestCase("{2}", "character 1 ({) has nothing before it to repeat*")]
    [TestCase("a{", "character 2 ({) needs a number*")]
    [TestCase("a{,2}", "character 2 ({) needs a number*")]
    [TestCase("a{2", "character 2 ({) opens a repetition that is not closed*")]
    [TestCase("a{2,x}", "character 2 ({) opens a repetition that is not closed*")]
    [TestCase("a{3,1}", "character 2 ({) repeats at least 3 times and at most 1*")]
    [TestCase("[a", "character 1 ([) opens a bracket*")]
    [TestCase(@"[a\", "character 1 ([) opens a bracket*")]
    [TestCase("[c-a]", "character 2 begins a range*")]
    [TestCase("[[:foo:]]", "character 2 ([) names the class 'foo'*alnum*")]
    [TestCase("[[:alpha", "character 2 ([) opens a class*")]
    [TestCase("[[.hyphen.]]", "character 2 ([) names the character 'hyphen'*")]
    [TestCase(@"[\1]", @"character 2 (\) is an escape that means nothing inside brackets")]
    [TestCase(@"a\", @"character 2 (\) is a backslash with nothing after it*")]
    [TestCase(@"\x6", @"character 1 (\) needs 2 hexadecimal digits*")]
    [TestCase(@"\u00g0", @"character 1 (\) needs 4 hexadecimal digits*")]
    [TestCase(@"\c", @"character 1 (\) names a control character*")]
    [TestCase(@"\1", @"character 1 (\) refers to group 1*")]
    [TestCase(@"(a\1)", @"character 3 (\) refers to group 1*")]
    [TestCase("é(", "character 2 (() opens a parenthesis*")]
    [TestCase("a\0b", "character 2 is NUL*")]
    public void A_malformed_pattern_is_refused_with_place_and_reason(string pattern, string message) =>
        FluentActions.Invoking(() => PlacementPattern.Parse(pattern)).Should().Throw<FormatException>().WithMessage(message);

    [Test]
    public void Patterns_beyond_the_limits_are_refused()
    {
        Refused(new string('a', 1025)).WithMessage("it is 1025 bytes long; 1024 are allowed*");
        Refused(new string('(', 65) + new string(')', 65)).WithMessage("character 65 (() opens parenthesis 65*");
        Refused("(a{50}){50}").WithMessage("character 11 (}) ends a repetition that multiplies*");
        Refused("(((a{9}){9}){9}){9}").WithMessage("*multiplies*");
        Refused("a{99999999999999999999}").WithMessage("*multiplies*");

        static FluentAssertions.Specialized.ExceptionAssertions<FormatException> Refused(string pattern) =>
            FluentActions.Invoking(() => PlacementPattern.Parse(pattern)).Should().Throw<FormatException>();
    }

    [Test]
    public void Patterns_at_the_limits_are_searched()
    {
        var name = new string('a', 63);

        PlacementPattern.Parse(new string('a', 1024)).IsFoundIn(name).Should().BeFalse();
        PlacementPattern.Parse(new string('(', 64) + "a" + new string(')', 64)).IsFoundIn(name).Should().BeTrue();
        PlacementPattern.Parse("(?:a?){600}$").IsFoundIn(name).Should().BeTrue();
    }

    [TestCase("(a*)*b")]
    [TestCase("(a|a)*b")]
    [TestCase("(([a-z])+.)+[A-Z]")]
    [TestCase(".*.*.*.*.*.*b")]
    public void A_pathological_search_is_given_up(string pattern) =>
        PlacementPattern.Parse(pattern).IsFoundIn(new string('a', 63)).Should().BeNull();
}
