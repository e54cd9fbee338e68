using FluentAssertions;
using NUnit.Framework;
using TinyMoe.World;

namespace TinyMoe.Tests;

[TestFixture]
public sealed class StoryTests
{
    private static readonly Story[] s_trained = [.. Enumerable.Range(0, 300).Select(seed => new StoryTeller(new SplitMix((ulong)seed)).Tell(isHeldOut: false))];
    private static readonly Story[] s_heldOut = [.. Enumerable.Range(0, 50).Select(seed => new StoryTeller(new SplitMix((ulong)seed)).Tell(isHeldOut: true))];

    [Test]
    public void Sentences_of_stories_parse() =>
        s_trained.Concat(s_heldOut).SelectMany(story => StoryGrammar.Sentences(story.Text)).Where(sentence => !StoryGrammar.Instance.Parses(sentence))
            .Should().BeEmpty();

    [TestCase("Once upon a time there was a honest fox named Tim.", TestName = "Wrong article")]
    [TestCase("Once upon a time there was a brave fox.", TestName = "Sentence cut short")]
    [TestCase("Once upon a time there was a brave fox named tim.", TestName = "Name in small letters")]
    [TestCase("The fox named Tim once upon a time there was.", TestName = "Words in another order")]
    [TestCase("Tim had a quantum kite and took it everywhere.", TestName = "Word of no category")]
    [TestCase("But when he wanted to go home, the kite was gone", TestName = "Full stop missing")]
    public void Sentence_that_is_none_of_the_grammar_does_not_parse(string sentence) => StoryGrammar.Instance.Parses(sentence).Should().BeFalse();

    [TestCase("Once upon a time there was an honest fox named Tim.")]
    [TestCase("\"Where is my red kite?\" asked Mia sadly.")]
    public void Sentence_of_the_grammar_parses(string sentence) => StoryGrammar.Instance.Parses(sentence).Should().BeTrue();

    [Test]
    public void Word_that_stands_twice_in_a_sentence_must_be_the_same_in_both()
    {
        var template = new Template("{hero} looked at the {thing}, and the {thing} looked at {hero}.", []);

        template.Matches(Template.Words("Tim looked at the kite, and the kite looked at Tim.")).Should().BeTrue();
        template.Matches(Template.Words("Tim looked at the kite, and the hat looked at Tim.")).Should().BeFalse();
        template.Matches(Template.Words("Tim looked at the kite, and the kite looked at Max.")).Should().BeFalse();
    }

    [Test]
    public void Training_never_sees_a_held_out_combination()
    {
        s_trained.Should().OnlyContain(story => !IsHeldOut(story, "friend") && !IsHeldOut(story, "thing"));
        s_heldOut.Should().OnlyContain(story => IsHeldOut(story, "friend") && IsHeldOut(story, "thing"));
    }

    [Test]
    public void Stories_name_nobody_but_their_two_persons()
    {
        foreach (Story story in s_trained)
        {
            Template.Words(story.Text).Where(Lexicon.Instance["name"].Contains).Should()
                .OnlyContain(name => name == story.Words["hero"] || name == story.Words["friend"], story.Text);
        }
    }

    [Test]
    public void Every_story_can_be_asked_about_and_answers_are_sentences_of_its_own_words()
    {
        foreach (Story story in s_trained)
        {
            story.Questions.Should().HaveCountGreaterThan(5);
            story.Questions.Should().OnlyContain(pair => pair.Question.EndsWith('?') && pair.Answer.EndsWith('.') && !pair.Answer.Contains('{'));
        }
    }

    [Test]
    public void Same_seed_tells_the_same_story()
    {
        Story again = new StoryTeller(new SplitMix(7)).Tell(isHeldOut: false);

        again.Text.Should().Be(s_trained[7].Text).And.NotBe(s_trained[8].Text);
    }

    private static bool IsHeldOut(Story story, string with) => HeldOut.IsPair(story.Words["hero"], story.Words[with]);
}
