using FluentAssertions;
using NUnit.Framework;
using TinyMoe.Corpus;
using TinyMoe.World;

namespace TinyMoe.Tests;

[TestFixture]
public sealed class CorpusTests
{
    private static readonly Document[] s_documents = [.. Write(1).Take(6000)];

    private static IEnumerable<string> Kinds => Enum.GetNames<TextKind>();

    [Test]
    public void Corpus_has_more_than_1500_different_words() =>
        s_documents.SelectMany(document => document.Pieces).SelectMany(Template.Words).Where(word => char.IsLetter(word[0]))
            .Select(word => word.ToUpperInvariant()).Distinct().Should().HaveCountGreaterThan(1500);

    [Test]
    public void Same_seed_writes_the_same_corpus()
    {
        Write(1).Take(100).Select(Text).Should().Equal(s_documents.Take(100).Select(Text));
        Write(2).Take(100).Select(Text).Should().NotEqual(s_documents.Take(100).Select(Text));
    }

    [TestCaseSource(nameof(Kinds))]
    public void Every_kind_of_text_comes_plain_or_as_chat(string name)
    {
        TextKind kind = Enum.Parse<TextKind>(name);
        s_documents.Should().Contain(document => document.Kind == kind && document.Pieces[0] == Document.TurnStart);
        if (kind != TextKind.Talk)
        {
            s_documents.Should().Contain(document => document.Kind == kind && document.Pieces[0] != Document.TurnStart);
        }
    }

    [Test]
    public void Sums_are_right()
    {
        var random = new SplitMix(3);
        foreach (var (operation, a, b) in Arithmetic.HeldOutCases)
        {
            Exchange pair = Arithmetic.Ask(random, operation, a, b);
            string[] numbers = [.. Template.Words(pair.Answer).Select(ToDigits).Where(word => int.TryParse(word, out _))];
            switch (operation)
            {
                case '+': numbers[^1].Should().Be($"{a + b}", pair.Answer); break;
                case '-': numbers[^1].Should().Be($"{a - b}", pair.Answer); break;
                default:
                    bool isMore = Template.Words(pair.Answer).Any(word => word is "bigger" or "more");
                    (int.Parse(numbers[0]) > int.Parse(numbers[1])).Should().Be(isMore, pair.Answer);
                    break;
            }
        }
    }

    [Test]
    public void Ways_to_sums_lead_to_them()
    {
        var random = new SplitMix(3);
        Arithmetic.Work(random, '+', 7, 2).Answer.Should().MatchRegex("^(1 is 8, 2 is 9, so (7 .* 9|[A-Z][a-z]+ has 9 .*)|One is eight, two is nine, so seven plus two is nine)[.]$");
        foreach (var (operation, a, b) in Arithmetic.HeldOutCases)
        {
            string answer = Arithmetic.Work(random, operation, a, b).Answer;
            string[] parts = answer.Split(", so ");
            parts.Should().HaveCount(2);
            int[][] steps = [.. parts[0].Split(", ").Select(step => Template.Words(step).Select(ToDigits).Where(word => int.TryParse(word, out _)).Select(int.Parse).ToArray())];
            int[] last = steps[^1];
            switch (operation)
            {
                case '+' when b > 0: last.Should().Equal([b, a + b], answer); break;
                case '-' when b > 0: last.Should().Equal([b, a - b], answer); break;
                case '>': last.Should().Equal([a - Math.Min(a, b), b - Math.Min(a, b)], answer); break;
                default: last.Should().BeEmpty(answer); break;
            }
        }
    }

    [Test]
    public void Held_out_sums_have_a_mirror_image_that_training_sees()
    {
        Arithmetic.HeldOutCases.Should().HaveCountGreaterThan(50);
        foreach (var (operation, a, b) in Arithmetic.HeldOutCases)
        {
            bool isHeldOut = operation == '-' ? HeldOut.IsSum('-', a, a - b) : HeldOut.IsSum(operation, b, a);
            isHeldOut.Should().BeFalse($"{a} {operation} {b} is");
        }
    }

    [Test]
    public void Training_never_asks_what_is_held_out()
    {
        string[] heldOut = [.. FactBook.HeldOutCases.Select(pair => pair.Question)];
        string text = string.Join('\n', s_documents.Select(Text));
        heldOut.Should().HaveCountGreaterThan(100).And.OnlyContain(question => !text.Contains($"\n{question}<", StringComparison.Ordinal));
        foreach (var (operation, a, b) in Arithmetic.HeldOutCases.Where(sum => sum.Operation != '>'))
        {
            text.Should().NotContain($" {a} {operation} {b} ").And.NotContain($"\n{a} {operation} {b} ");
        }
    }

    private static string Text(Document document) => document.Text;

    private static IEnumerable<Document> Write(ulong seed)
    {
        var library = new Library(seed);
        while (true)
        {
            yield return library.Write();
        }
    }

    private static string ToDigits(string word) => Arithmetic.ToNumber(word) is { } number ? $"{number}" : word;
}
