namespace TinyMoe.World;

/// <summary>Provides the facts and the questions about them: <c>facts.txt</c> and <c>asking.txt</c>.</summary>
internal static class FactBook
{
    private static readonly (string Opening, string Question, string Answer)[] s_all = [.. Read()];
    private static readonly (string Opening, string Question, string Answer)[] s_trained = [.. s_all.Where(fact => !IsHeldOut(fact))];

    /// <summary>Gets all questions that are held out.</summary>
    public static IReadOnlyList<Exchange> HeldOutCases { get; } = [.. s_all.Where(IsHeldOut).Select(ToExchange)];

    /// <summary>Creates a question of the training data.</summary>
    public static Exchange Ask(SplitMix random) => ToExchange(random.Choose(s_trained));

    private static Exchange ToExchange((string Opening, string Question, string Answer) fact) =>
        new(fact.Opening.Length == 0 ? fact.Question : $"{fact.Opening} {fact.Question}", fact.Answer);

    private static bool IsHeldOut((string Opening, string Question, string Answer) fact) => HeldOut.IsAsking(fact.Opening, fact.Question);

    private static IEnumerable<(string Opening, string Question, string Answer)> Read()
    {
        // The last line of a file is empty. So is the first opening, for questions without an opening.
        string[] openings = [.. Resources.Lines("asking").Distinct()];
        foreach (string line in Resources.Lines("facts").Where(line => line.Length > 0))
        {
            string[] parts = Resources.Parts(line, '|');
            foreach (string question in parts.Skip(1))
            {
                foreach (string opening in openings)
                {
                    yield return (opening, question, parts[0]);
                }
            }
        }
    }
}
