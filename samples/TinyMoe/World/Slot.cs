namespace TinyMoe.World;

/// <summary>Represents a placeholder in a sentence for a word of the story: <c>{look2}</c> is the second word of the category "look".</summary>
internal sealed record Slot(string Variable, bool IsCapital)
{
    // These categories are drawn again for each sentence. The others stay the same throughout the story.
    private static readonly HashSet<string> s_fresh = ["adv", "sadly", "did", "moved", "sound", "smell", "creature"];

    private static readonly Dictionary<string, string[]> s_pronouns = new()
    {
        ["he"] = ["he", "she"],
        ["him"] = ["him", "her"],
        ["his"] = ["his", "her"],
    };

    /// <summary>Gets the variable without its number.</summary>
    public string Category { get; } = Variable.TrimEnd('1', '2', '3', '4');

    public bool IsArticle => Variable == "a";

    public bool IsPronoun => s_pronouns.ContainsKey(Category);

    public bool IsFresh => s_fresh.Contains(Category);

    public static Slot Parse(string text) => new(char.ToLowerInvariant(text[0]) + text[1..], char.IsUpper(text[0]));

    public string Pronoun(bool isFemale) => s_pronouns[Category][isFemale ? 1 : 0];

    /// <summary>Gets the texts that the slot can contain.</summary>
    public IEnumerable<string> Phrases(IReadOnlyList<string> morals)
    {
        IEnumerable<string> phrases = Category switch
        {
            "a" => ["a", "an"],
            "hero" or "friend" or "winner" => Lexicon.Instance["name"],
            "kind" or "fkind" => [.. Lexicon.Instance["animal"], .. Lexicon.Instance["child"]],
            "ftrait" => Lexicon.Instance["trait"],
            "moral" => morals,
            _ => s_pronouns.TryGetValue(Category, out string[]? forms) ? forms : Lexicon.Instance[Category],
        };
        return phrases.Select(Write);
    }

    /// <summary>Gets a word in the form that the slot requires.</summary>
    public string Write(string word) => IsCapital ? char.ToUpperInvariant(word[0]) + word[1..] : word;
}
