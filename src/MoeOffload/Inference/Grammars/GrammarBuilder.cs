using System.Globalization;
using System.Text;

namespace MoeOffload.Inference.Grammars;

/// <summary>Collects the rules of a grammar, and writes those that lead to a text.</summary>
/// <param name="prefix">The text with which the names of the rules start.</param>
internal sealed class GrammarBuilder(string prefix)
{
    // Rules to which nothing leads are left out when the grammar is written.
    private const int MaxLength = 2 * GrammarReader.MaxLength;

    private readonly Dictionary<string, IReadOnlyList<GrammarSymbol>[]> _rules = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private int _length;
    private int _count;

    /// <summary>Gets the number of characters of the rules that were added.</summary>
    public int Length => _length;

    /// <summary>Returns a name for a rule that is added later.</summary>
    public string NewName(string hint) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{hint}{_count++}");

    /// <summary>Returns the name of a rule that occurs once.</summary>
    public string FixedName(string name) => prefix + name;

    /// <summary>Determines whether a rule was added.</summary>
    public bool Has(string name) => _rules.ContainsKey(name);

    /// <summary>Adds a rule. A rule without alternatives matches nothing.</summary>
    /// <exception cref="FormatException">The grammar is too large.</exception>
    public void Add(string name, params IEnumerable<IReadOnlyList<GrammarSymbol>> alternatives)
    {
        IReadOnlyList<GrammarSymbol>[] all = [.. alternatives];
        _rules.Add(name, all);
        _order.Add(name);
        _length += name.Length + 6 + all.Sum(alternative => 3 + alternative.Sum(symbol => symbol.Text.Length + 1));
        if (_length > MaxLength)
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"its grammar has more than {MaxLength} characters; use fewer or simpler schemas"));
        }
    }

    /// <summary>Adds a rule with a new name.</summary>
    public GrammarSymbol AddNew(string hint, params IEnumerable<IReadOnlyList<GrammarSymbol>> alternatives)
    {
        string name = NewName(hint);
        Add(name, alternatives);
        return GrammarSymbol.Reference(name);
    }

    /// <summary>Writes the rules that lead from a root to a text.</summary>
    /// <returns>The grammar, or null if the root leads to no text.</returns>
    public string? Write(IReadOnlyCollection<string> roots)
    {
        HashSet<string> productive = FindProductive();
        if (!roots.All(productive.Contains))
        {
            return null;
        }

        var reached = new HashSet<string>(roots, StringComparer.Ordinal);
        var open = new Stack<string>(roots);
        while (open.TryPop(out string? name))
        {
            foreach (GrammarSymbol symbol in Live(name, productive).SelectMany(alternative => alternative))
            {
                if (symbol.Rule is { } rule && reached.Add(rule))
                {
                    open.Push(rule);
                }
            }
        }

        var text = new StringBuilder();
        foreach (string name in _order.Where(reached.Contains))
        {
            text.Append(name).Append(" ::= ").AppendJoin(" | ", Live(name, productive).Select(Write)).Append('\n');
        }

        return text.ToString();
    }

    private static string Write(IReadOnlyList<GrammarSymbol> alternative) =>
        alternative.Count == 0 ? "\"\"" : string.Join(' ', alternative.Select(symbol => symbol.Text));

    private IEnumerable<IReadOnlyList<GrammarSymbol>> Live(string name, HashSet<string> productive) =>
        _rules[name].Where(alternative => alternative.All(symbol => symbol.Rule is null || productive.Contains(symbol.Rule)));

    // A rule leads to a text if all rules of one of its alternatives do.
    private HashSet<string> FindProductive()
    {
        var users = new Dictionary<string, List<(string Rule, int Alternative)>>(StringComparer.Ordinal);
        var missing = new Dictionary<string, int[]>(StringComparer.Ordinal);
        var found = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>();
        foreach ((string name, IReadOnlyList<GrammarSymbol>[] alternatives) in _rules)
        {
            missing[name] = Array.ConvertAll(alternatives, alternative => alternative.Count(symbol => symbol.Rule is not null));
            for (int i = 0; i < alternatives.Length; i++)
            {
                foreach (string rule in alternatives[i].Select(symbol => symbol.Rule).OfType<string>())
                {
                    (users.TryGetValue(rule, out List<(string, int)>? list) ? list : users[rule] = []).Add((name, i));
                }
            }

            if (Array.Exists(missing[name], count => count == 0) && found.Add(name))
            {
                open.Enqueue(name);
            }
        }

        while (open.TryDequeue(out string? name))
        {
            foreach ((string rule, int alternative) in users.GetValueOrDefault(name) ?? [])
            {
                if (--missing[rule][alternative] == 0 && found.Add(rule))
                {
                    open.Enqueue(rule);
                }
            }
        }

        return found;
    }
}
