namespace TinyMoe.World;

/// <summary>Provides small talk, and answers to questions that are outside the world of the model: <c>talk.txt</c>, <c>strange.txt</c>.</summary>
internal static class SmallTalk
{
    private const string Subjects = "subjects:";

    private static readonly string[] s_nouns = ["thing", "animal", "food", "job", "building", "tool"];
    private static readonly (string[] Said, string[] Answers)[] s_talk =
        [.. Resources.Lines("talk").Where(line => line.Length > 0).Select(line => Resources.Parts(line, '|')).Select(parts => (Resources.Parts(parts[0], '/'), Resources.Parts(parts[1], '/')))];

    private static readonly string[] s_subjects =
        [.. Resources.Lines("strange").Single(IsSubjects)[Subjects.Length..].Trim().Split(' ').Select(word => word.Replace('_', ' '))];

    private static readonly string[] s_requests = [.. Resources.Lines("strange").Where(line => line.Length > 0 && !IsSubjects(line))];
    private static readonly string[] s_excuses = [.. Resources.Lines("answers").Where(line => line.Length > 0)];

    public static Exchange Chat(SplitMix random)
    {
        var (said, answers) = random.Choose(s_talk);
        return new(random.Choose(said), random.Choose(answers)) { IsFree = true };
    }

    public static Exchange AskStrangely(SplitMix random)
    {
        string subject = random.Chance(0.5) ? random.Choose(s_subjects) : "the " + random.Choose(Lexicon.Instance[random.Choose(s_nouns)]);
        return new(random.Choose(s_requests).Replace("{subject}", subject, StringComparison.Ordinal), random.Choose(s_excuses));
    }

    private static bool IsSubjects(string line) => line.StartsWith(Subjects, StringComparison.Ordinal);
}
