using FluentAssertions;
using MoeOffload.Placement;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class PlacementPatternTests
{
    [TestCase("exps", "blk.0.ffn_up_exps.weight", true)]
    [TestCase("^exps", "blk.0.ffn_up_exps.weight", false)]
    [TestCase(@"^blk\.\d+\.", "blk.12.attn_q.bias", true)]
    [TestCase(@"^blk\.\d\.", "blk.12.attn_q.bias", false)]
    [TestCase("weight$", "output.weight", true)]
    [TestCase("", "output.weight", true)]
    [TestCase("[a-c]{2,}", "aabbab", true)]
    [TestCase(@"(a)(b)\2\1", "abba", true)]
    [TestCase(@"a(?!a|b)", "aab", false)]
    [TestCase(@"\x61\u0062", "ab", true)]
    public void A_sound_pattern_is_searched_anywhere_in_the_name(string pattern, string name, bool found) =>
        PlacementPattern.Parse(pattern).IsFoundIn(name).Should().Be(found);

    [TestCase(@"blk\.(", "unbalanced parenthesis*")]
    [TestCase("a)", "unbalanced parenthesis*")]
    [TestCase("*a", "nothing to repeat*")]
    [TestCase("[a", "unbalanced bracket*")]
    [TestCase("[c-a]", "a character range in reverse order*")]
    [TestCase(@"a\", "a backslash with nothing after it*")]
    [TestCase("a{3,1}", "a repetition whose maximum*")]
    [TestCase("a\0b", "contains a NUL character")]
    public void A_malformed_pattern_is_refused_with_the_reason(string pattern, string message) =>
        FluentActions.Invoking(() => PlacementPattern.Parse(pattern)).Should().Throw<FormatException>().WithMessage(message);

    [Test]
    public void Patterns_beyond_the_limits_are_refused()
    {
        FluentActions.Invoking(() => PlacementPattern.Parse(new string('a', 1025)))
            .Should().Throw<FormatException>().WithMessage("1025 characters long; at most 1024 are allowed");
        FluentActions.Invoking(() => PlacementPattern.Parse(new string('(', 65) + new string(')', 65)))
            .Should().Throw<FormatException>().WithMessage("more than 64 groups");
    }

    [Test]
    public void What_only_std_regex_reads_is_left_to_it() =>
        PlacementPattern.Parse("a**").IsFoundIn("aab").Should().BeNull();

    [Test]
    public void A_pathological_search_is_given_up() =>
        PlacementPattern.Parse(@"((a+)\2?)*b\1").IsFoundIn(new string('a', 63)).Should().BeNull();
}
