using System.Text;
using MoeOffload;
using MoeOffload.Diagnostics;
using TinyMoe.Corpus;
using TinyMoe.World;

namespace TinyMoe.Exam;

/// <summary>Asks a model the questions of the exam, with greedy decoding, and compares its answers.</summary>
internal sealed class Examiner(GenerationSession session)
{
    private const int LongestStory = 300;
    private const int LongestAnswer = 128;

    public async Task<IReadOnlyList<ExamResult>> Examine(IEnumerable<ExamQuestion> paper)
    {
        var results = new List<ExamResult>();
        foreach (IGrouping<TextKind, ExamQuestion> part in paper.GroupBy(question => question.Kind).OrderBy(part => part.Key))
        {
            results.Add(await ExaminePart(part.Key, part));
        }

        return results;
    }

    private static string LastLine(string prompt) => prompt.TrimEnd().Split('\n').Last(line => line.Contains('?', StringComparison.Ordinal));

    private async Task<ExamResult> ExaminePart(TextKind kind, IEnumerable<ExamQuestion> questions)
    {
        ExpertActivity? before = session.ExpertActivity;
        int count = 0;
        var mistakes = new List<string>();
        foreach (ExamQuestion question in questions)
        {
            string answer = await Answer(question.Prompt, question.Answer is null ? LongestStory : LongestAnswer);
            if (question.Answer is not { } right)
            {
                string[] sentences = StoryGrammar.Sentences(answer);
                count += sentences.Length;
                mistakes.AddRange(sentences.Where(sentence => !StoryGrammar.Instance.Parses(sentence)));
                continue;
            }

            count++;
            if (answer != right)
            {
                mistakes.Add($"{LastLine(question.Prompt)} {answer} (right: {right})");
            }
        }

        return new ExamResult(kind)
        {
            Right = count - mistakes.Count,
            Count = count,
            Mistakes = mistakes,
            Activity = before is null ? null : session.ExpertActivity!.Since(before),
        };
    }

    private async Task<string> Answer(string prompt, int maxTokens)
    {
        var request = new GenerationRequest { Prompt = prompt, Sampling = SamplingOptions.Greedy, MaxTokens = maxTokens, StopStrings = ["\n"] };
        var answer = new StringBuilder();
        await foreach (GeneratedToken token in session.GenerateAsync(request))
        {
            answer.Append(token.Text);
        }

        return answer.ToString().Trim();
    }
}
