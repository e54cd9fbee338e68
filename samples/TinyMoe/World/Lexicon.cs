using System.Collections.Frozen;

namespace TinyMoe.World;

/// <summary>Provides the words of the world by category.</summary>
internal sealed class Lexicon
{
    private readonly Dictionary<string, IReadOnlyList<string>> _words;

    private Lexicon(Dictionary<string, IReadOnlyList<string>> words)
    {
        _words = words;
        Girls = words["girl"].ToFrozenSet();
    }

    public static Lexicon Instance { get; } = Read();

    /// <summary>Gets the names of girls. All other names are those of boys.</summary>
    public FrozenSet<string> Girls { get; }

    public IReadOnlyList<string> this[string category] => _words[category];

    /// <summary>Gets the indefinite article of a word, "a" or "an".</summary>
    public static string Article(string nextWord) =>
        nextWord is "honest" || "aeiou".Contains(nextWord[0], StringComparison.Ordinal) ? "an" : "a";

    private static Lexicon Read()
    {
        var words = new Dictionary<string, IReadOnlyList<string>>();
        foreach (string line in Resources.Lines("words").Where(line => line.Length > 0))
        {
            string[] parts = Resources.Parts(line, ':');
            words[parts[0]] = [.. Resources.Parts(parts[1], ' ').Select(word => word.Replace('_', ' ')).Distinct()];
        }

        words["name"] = [.. words["girl"], .. words["boy"]];
        return new Lexicon(words);
    }
}
