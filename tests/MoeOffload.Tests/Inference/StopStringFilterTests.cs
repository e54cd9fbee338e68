using System.Text;
using FluentAssertions;
using MoeOffload.Inference.Output;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Tokens are held back for as long as they may begin a stop string, and no longer.</summary>
[TestFixture]
public sealed class StopStringFilterTests
{
    [TestCase("one two STOP three", new[] { "STOP" }, "one two ")]
    [TestCase("STOP", new[] { "STOP" }, "")]
    [TestCase("aaab", new[] { "aab" }, "a")]
    [TestCase("ababac", new[] { "abac" }, "ab")]
    [TestCase("x<|end|>y", new[] { "<|e", "<|end|>" }, "x")]
    [TestCase("xabcd", new[] { "bcd", "ab" }, "x")]
    [TestCase("größe\n\nUser:", new[] { "\nUser:", "ö" }, "gr")]
    [TestCase("nothing of it STO", new[] { "STOP" }, "nothing of it STO")]
    [TestCase("", new[] { "a" }, "")]
    public void Filter_over_all_splits_in_three_keeps_what_comes_before_the_stop(string text, string[] stops, string expected)
    {
        for (int i = 0; i <= text.Length; i++)
        {
            for (int j = i; j <= text.Length; j++)
            {
                Filter([text[..i], text[i..j], text[j..]], stops).Should().Be(expected);
            }
        }
    }

    [Test]
    public void Filter_over_random_texts_splits_and_stops_equals_a_search_in_the_whole_text()
    {
        var random = new Random(5);
        for (int run = 0; run < 20_000; run++)
        {
            string[] stops = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Letters(random, random.Next(1, 6)))];
            List<string> pieces = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => Letters(random, random.Next(0, 4)))];
            Filter(pieces, stops).Should().Be(Expected(pieces, stops), $"of {string.Join('|', pieces)} with {string.Join(" and ", stops)}");
        }
    }

    [Test]
    public void Filter_holds_no_token_that_cannot_begin_a_stop()
    {
        var filter = new StopStringFilter(["abc"]);
        filter.Append(Token("xab")).Should().BeFalse();
        filter.TryRelease(out _).Should().BeFalse("its end may begin the stop");
        filter.Append(Token("d")).Should().BeFalse();
        filter.TryRelease(out GeneratedToken first).Should().BeTrue();
        filter.TryRelease(out GeneratedToken second).Should().BeTrue();
        (first.Text + second.Text).Should().Be("xabd");
        filter.HeldCount.Should().Be(0);
    }

    // This is the output. No part of it may have been returned before the stop string was detected.
    private static string Filter(IEnumerable<string> pieces, string[] stops)
    {
        var filter = new StopStringFilter(stops);
        var output = new StringBuilder();
        foreach (string piece in pieces)
        {
            bool stopped = filter.Append(Token(piece));
            while (!stopped && filter.TryRelease(out GeneratedToken token))
            {
                output.Append(token.Text);
            }

            if (stopped)
            {
                break;
            }
        }

        while (filter.HeldCount > 0)
        {
            output.Append(filter.Drain().Text);
        }

        return output.ToString();
    }

    // The stop that the earliest token completes; of several, the one that begins first.
    private static string Expected(List<string> pieces, string[] stops)
    {
        string text = string.Empty;
        foreach (string piece in pieces)
        {
            text += piece;
            int[] found = [.. stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0)];
            if (found.Length > 0)
            {
                return text[..found.Min()];
            }
        }

        return text;
    }

    private static string Letters(Random random, int count) =>
        string.Concat(Enumerable.Range(0, count).Select(_ => (string[])["a", "b", "ö", "😀"]).Select(letters => letters[random.Next(4)]));

    private static GeneratedToken Token(string text) => new(0, Encoding.UTF8.GetBytes(text), float.NaN, null, null);
}
