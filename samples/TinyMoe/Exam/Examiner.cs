using MoeOffload;
using TinyMoe.Corpus;
using TinyMoe.World;

namespace TinyMoe.Exam;

/// <summary>Asks a model, which answers greedily, and compares.</summary>
internal sealed class Examiner(GenerationSession session)
{
    private const int LongestStory = 300;
    private const int LongestAnswer = 48;

    public async Task<IReadOnlyList<ExamResult>> Examine(IReadOnlyList<ExamQuestion> paper)
    {
        var marks = new List<(TextKind Kind, bool IsRight, string Mistake)>();
        foreach (ExamQuestion question in paper)
        {
            if (question.Answer is { } right)
            {
                string answer = await Answer(question.Prompt, LongestAnswer, "\n");
                marks.Add((question.Kind, answer.Trim() == right, $"{LastLine(question.Prompt)} {right} -- {answer.Trim()}"));
            }
            else
            {
                string story = await Answer(question.Prompt, LongestStory, "\n");
                marks.AddRange(StoryGrammar.Sentences(story).Select(sentence => (question.Kind, StoryGrammar.Instance.Parses(sentence), sentence)));
            }
        }

        return [.. marks.GroupBy(mark => mark.Kind).OrderBy(group => group.Key).Select(group => new ExamResult(
            group.Key, group.Count(mark => mark.IsRight), group.Count(), [.. group.Where(mark => !mark.IsRight).Select(mark => mark.Mistake)]))];
    }

    private static string LastLine(string prompt) => prompt.TrimEnd().Split('\n').Last(line => line.Contains('?', StringComparison.Ordinal));

    private async Task<string> Answer(string prompt, int maxTokens, string stop)
    {
        var request = new GenerationRequest { Prompt = prompt, Sampling = SamplingOptions.Greedy, MaxTokens = maxTokens, StopStrings = [stop] };
        string answer = string.Empty;
        await foreach (GeneratedToken token in session.GenerateAsync(request))
        {
            answer += token.Text;
        }

        return answer;
    }
}
