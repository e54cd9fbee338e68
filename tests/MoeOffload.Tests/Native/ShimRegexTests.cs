using System.Runtime.InteropServices;
using System.Text;
using FluentAssertions;
using MoeOffload.Native.Generated;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

/// <summary>Patterns that std::regex would answer with an exception, a stack overflow, or never.</summary>
[TestFixture]
public sealed unsafe class ShimRegexTests
{
    private const ulong Steps = 200_000;

    private static readonly string s_long = new('a', 63);

    [OneTimeSetUp]
    public void LoadLibraries() => MoeModel.ListDevices();

    [TestCase(@"blk\.(", "unbalanced parenthesis")]
    [TestCase("a)", "unbalanced parenthesis")]
    [TestCase("[a", "unbalanced bracket")]
    [TestCase("a{1", "unbalanced brace")]
    [TestCase("a{2,1}", "bad repetition count in braces")]
    [TestCase(@"a\", "bad escape, or a backslash at the end")]
    [TestCase("[z-a]", "bad range in brackets")]
    [TestCase(@"(a)\2", "reference to a group that is not there")]
    [TestCase("[[:no:]]", "unknown collating element")]
    public void A_malformed_pattern_is_an_error_with_its_reason(string pattern, string reason)
    {
        Check(pattern).Should().Be((moe_status.MOE_STATUS_FAILED, reason));
        Match(pattern, "name").Should().Be((moe_status.MOE_STATUS_FAILED, reason, false));
    }

    [TestCase("(a*)*b")]
    [TestCase("(a|a)*b")]
    [TestCase("(([a-z])+.)+[A-Z]")]
    [TestCase(".*.*.*.*.*.*b")]
    public void A_search_that_explodes_is_given_up(string pattern)
    {
        // Steps are limited instead of time. A search of exponential length would not return at all.
        (moe_status status, string error, _) = Match(pattern, s_long);

        status.Should().Be(moe_status.MOE_STATUS_TOO_COMPLEX);
        error.Should().StartWith("the pattern needs too many steps");
    }

    [Test]
    public void Patterns_beyond_the_limits_are_refused()
    {
        Check(Nested(300)).Should().Be((moe_status.MOE_STATUS_INVALID_ARGUMENT, "more than 256 groups"));
        Check("(((x{100}){100}){100}){100}").Status.Should().Be(moe_status.MOE_STATUS_TOO_COMPLEX);
        Check("x{99999999999999999999}").Status.Should().BeOneOf(moe_status.MOE_STATUS_TOO_COMPLEX, moe_status.MOE_STATUS_FAILED);
        Check(new string('x', 1_000_000)).Status.Should().Be(moe_status.MOE_STATUS_INVALID_ARGUMENT);
        Check(new string('[', 4_000)).Status.Should().Be(moe_status.MOE_STATUS_FAILED);
    }

    [Test]
    public void Patterns_at_the_limits_are_searched()
    {
        Match(new string('a', 4_096), s_long).Should().Be((moe_status.MOE_STATUS_OK, string.Empty, false));
        Match(Nested(256), s_long).Should().Be((moe_status.MOE_STATUS_OK, string.Empty, true));
        Match("(?:a?){700}", s_long).Should().Be((moe_status.MOE_STATUS_OK, string.Empty, true));
        Match(string.Join('|', Enumerable.Repeat("ab", 300)), s_long).Should().Be((moe_status.MOE_STATUS_OK, string.Empty, false));
    }

    [Test]
    public void Random_patterns_end_in_a_status()
    {
        string[] parts = ["a", "b", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "{2,3}", "^", "$", "|", "\\", @"\d", @"\b", "(?:", "(?=", "-", ",", "1", "é", "\n"];
        var random = new Random(1);
        for (int round = 0; round < 3_000; round++)
        {
            string pattern = string.Concat(random.GetItems(parts, random.Next(1, 20)));

            Match(pattern, s_long).Status.Should().BeOneOf(
                moe_status.MOE_STATUS_OK, moe_status.MOE_STATUS_FAILED, moe_status.MOE_STATUS_TOO_COMPLEX);
        }
    }

    [Test]
    public void Missing_arguments_are_refused()
    {
        byte* error = stackalloc byte[128];
        byte matched;
        byte* name = null;
        fixed (byte* pattern = "a\0"u8)
        {
            byte** names = stackalloc byte*[] { pattern };
            ShimApi.moe_regex_check(null, error, 128).Should().Be(moe_status.MOE_STATUS_INVALID_ARGUMENT);
            ShimApi.moe_regex_match(null, &name, 1, Steps, &matched, error, 128).Should().Be(moe_status.MOE_STATUS_INVALID_ARGUMENT);
            ShimApi.moe_regex_match(pattern, null, 1, Steps, &matched, error, 128).Should().Be(moe_status.MOE_STATUS_INVALID_ARGUMENT);
            ShimApi.moe_regex_match(pattern, &name, 1, Steps, null, error, 128).Should().Be(moe_status.MOE_STATUS_INVALID_ARGUMENT);
            ShimApi.moe_regex_match(pattern, &name, 1, Steps, &matched, error, 128).Should().Be(moe_status.MOE_STATUS_INVALID_ARGUMENT);
            ShimApi.moe_regex_match(pattern, null, 0, Steps, null, error, 128).Should().Be(moe_status.MOE_STATUS_OK);
            ShimApi.moe_regex_match(pattern, names, 1, 0, &matched, error, 128).Should().Be(moe_status.MOE_STATUS_TOO_COMPLEX);
        }
    }

    private static string Nested(int depth) => new string('(', depth) + "a" + new string(')', depth);

    private static (moe_status Status, string Error) Check(string pattern)
    {
        byte* error = stackalloc byte[256];
        error[0] = 0;
        fixed (byte* text = Encoding.UTF8.GetBytes(pattern + "\0"))
        {
            moe_status status = ShimApi.moe_regex_check(text, error, 256);
            return (status, Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(error)));
        }
    }

    private static (moe_status Status, string Error, bool Matched) Match(string pattern, string name)
    {
        byte* error = stackalloc byte[256];
        error[0] = 0;
        byte matched = 0;
        fixed (byte* text = Encoding.UTF8.GetBytes(pattern + "\0"))
        fixed (byte* subject = Encoding.UTF8.GetBytes(name + "\0"))
        {
            byte** names = stackalloc byte*[] { subject };
            moe_status status = ShimApi.moe_regex_match(text, names, 1, Steps, &matched, error, 256);
            return (status, Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(error)), matched != 0);
        }
    }
}
