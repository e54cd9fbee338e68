using TinyMoe.Corpus;
using TinyMoe.World;

namespace TinyMoe.Exam;

/// <summary>Represents the exam: combinations that are not in the training data, half of each kind as chat, half as plain text.</summary>
internal static class ExamPaper
{
    private const int Stories = 60;
    private const int ToldStories = 80;
    private const int QuestionsEach = 3;

    public static IReadOnlyList<ExamQuestion> Write()
    {
        var random = new SplitMix(20);
        var teller = new StoryTeller(random);
        var paper = new List<ExamQuestion>();
        for (int i = 0; i < Stories; i++)
        {
            Story story = teller.Tell(isHeldOut: true);
            string first = StoryGrammar.Sentences(story.Text)[0];
            paper.Add(new(TextKind.Story, i % 2 == 0 ? Turn(StoryRequest.For(random, story).Question) : first, null));
        }

        for (int i = 0; i < ToldStories; i++)
        {
            Story story = teller.Tell(isHeldOut: true);
            paper.AddRange(Library.Questions(random, story, QuestionsEach).Select(question => i % 2 == 0
                ? Chat(TextKind.StoryQuestion, Library.About(story, question))
                : Plain(TextKind.StoryQuestion, story.Text, question)));
        }

        foreach (var (operation, a, b) in Arithmetic.HeldOutCases)
        {
            paper.Add(Chat(TextKind.Sum, Arithmetic.Work(random, operation, a, b)));
            paper.Add(Plain(TextKind.Sum, string.Empty, Arithmetic.Work(random, operation, a, b)));
        }

        paper.AddRange(FactBook.HeldOutCases.Select((fact, i) => i % 2 == 0 ? Chat(TextKind.Fact, fact) : Plain(TextKind.Fact, string.Empty, fact)));
        return paper;
    }

    private static ExamQuestion Chat(TextKind kind, Exchange pair) => new(kind, Turn(pair.Question), pair.Answer);

    private static ExamQuestion Plain(TextKind kind, string text, Exchange pair) =>
        new(kind, Document.Plain(kind, text, [pair]).Pieces[0], pair.Answer);

    private static string Turn(string message) =>
        string.Concat(Document.Chat(TextKind.Talk, null, [new Exchange(message, string.Empty)]).Pieces.SkipLast(3));
}
