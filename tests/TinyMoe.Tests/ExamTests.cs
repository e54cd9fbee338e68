using FluentAssertions;
using MoeOffload;
using MoeOffload.Diagnostics;
using MoeOffload.Fixtures;
using NUnit.Framework;
using TinyMoe.Corpus;
using TinyMoe.Exam;

namespace TinyMoe.Tests;

/// <summary>How good the model is at what training never saw.</summary>
[TestFixture]
public sealed class ExamTests
{
    private const double SentencesThatParse = 0.95;
    private const double AnswersThatAreRight = 0.9;

    private IReadOnlyList<ExamResult> _results = null!;
    private ExpertActivity _activity = null!;

    [OneTimeSetUp]
    public async Task Examine()
    {
        using MoeModel model = await MoeModel.LoadAsync(DemoModel.Path);
        using GenerationSession session = model.CreateSession(Answers.Context with { CountExperts = true, Threads = new ThreadOptions() });
        _results = await new Examiner(session).Examine(ExamPaper.Write());
        _activity = session.ExpertActivity!;
    }

    [Test]
    public void Sentences_of_its_stories_parse()
    {
        ExamResult stories = Result(TextKind.Story);
        stories.Count.Should().BeGreaterThan(400);
        stories.Share.Should().BeGreaterThanOrEqualTo(SentencesThatParse, string.Join('\n', stories.Mistakes));
    }

    [TestCase(nameof(TextKind.StoryQuestion), 200)]
    [TestCase(nameof(TextKind.Sum), 100)]
    [TestCase(nameof(TextKind.Fact), 100)]
    public void Its_answers_are_right(string kind, int least)
    {
        ExamResult answers = Result(Enum.Parse<TextKind>(kind));
        answers.Count.Should().BeGreaterThanOrEqualTo(least);
        answers.Share.Should().BeGreaterThanOrEqualTo(AnswersThatAreRight, string.Join('\n', answers.Mistakes));
    }

    [Test]
    public void No_expert_is_dead()
    {
        _activity.Layers.Should().HaveCount(6);
        foreach (int layer in _activity.Layers)
        {
            for (int expert = 0; expert < _activity.ExpertCount; expert++)
            {
                _activity.GetShare(layer, expert).Should().BeGreaterThan(0.005, "expert {0} of layer {1} is used", expert, layer);
            }
        }
    }

    [Test]
    public void Model_is_small_enough_to_be_shipped() => new FileInfo(DemoModel.Path).Length.Should().BeLessThan(12_000_000);

    private ExamResult Result(TextKind kind) => _results.Single(result => result.Kind == kind);
}
