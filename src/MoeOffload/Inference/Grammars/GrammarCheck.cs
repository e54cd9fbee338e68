namespace MoeOffload.Inference.Grammars;

/// <summary>
/// Rejects grammars that llama.cpp would reject, with a location and a reason, and those that would crash or hang the process: by deep
/// recursion, by endless or enormous expansion, or by a rule that can never match.
/// </summary>
internal static class GrammarCheck
{
    /// <summary>The maximum depth of rules that begin with rules. llama.cpp recurses for each one.</summary>
    public const int MaxDepth = 3_000;

    /// <summary>The maximum number of alternatives at the beginning of a rule. llama.cpp follows each one for every token.</summary>
    public const int MaxAlternatives = 100_000;

    private const int MaxSteps = 1_000_000;

    /// <summary>Checks a grammar.</summary>
    /// <returns>The number of its symbols after repetitions are expanded.</returns>
    /// <exception cref="FormatException">The grammar is rejected. The message names the location and the reason.</exception>
    public static int Check(string grammar, string root)
    {
        var zero = grammar.IndexOf('\0', StringComparison.Ordinal);
        if (zero >= 0)
        {
            throw new FormatException($"character {zero + 1} is NUL, which would end the grammar in llama.cpp; remove it");
        }

        var rules = GrammarReader.Read(grammar, root);
        CheckLeftRecursion(rules);
        var empty = Nullable(rules);
        var used = Used(rules);
        CheckProgress(rules, empty, used);
        CheckExpansion(rules, empty, used);
        return rules.SymbolCount;
    }

    // Repeats llama.cpp's search. It treats a rule as possibly empty only if one of its own alternatives is empty, and visits rules again
    // and again: deep nesting overflows its stack, and wide nesting takes forever.
    private static void CheckLeftRecursion(GrammarRules grammar)
    {
        var directlyEmpty = Array.ConvertAll(grammar.Rules, rule => rule.Any(alternative => alternative.Length == 0));
        var visited = new bool[grammar.Rules.Length];
        var inProgress = new bool[grammar.Rules.Length];
        var stack = new Stack<(int Rule, int Alternative, int Symbol)>();
        var steps = 0;
        for (var start = 0; start < grammar.Rules.Length; start++)
        {
            if (visited[start])
            {
                continue;
            }

            Enter(start);
            while (stack.TryPop(out var at))
            {
                if (at.Alternative == grammar.Rules[at.Rule].Length)
                {
                    inProgress[at.Rule] = false;
                    visited[at.Rule] = true;
                    continue;
                }

                var symbols = grammar.Rules[at.Rule][at.Alternative];
                if (at.Symbol < symbols.Length && symbols[at.Symbol] >= 0
                    && (at.Symbol == 0 || directlyEmpty[symbols[at.Symbol - 1]]))
                {
                    stack.Push(at with { Symbol = at.Symbol + 1 });
                    Enter(symbols[at.Symbol]);
                }
                else
                {
                    stack.Push((at.Rule, at.Alternative + 1, 0));
                }
            }
        }

        void Enter(int rule)
        {
            if (inProgress[rule])
            {
                throw LeftRecursion(grammar, rule);
            }

            if (++steps > MaxSteps)
            {
                throw new FormatException(
                    $"rule '{grammar.Names[rule]}' begins with rules that branch in more than {MaxSteps} ways; merge alternatives that have the same beginning");
            }

            if (stack.Count >= MaxDepth)
            {
                throw new FormatException(
                    $"rule '{grammar.Names[rule]}' begins with more than {MaxDepth} nested rules; use less nesting or repetition");
            }

            inProgress[rule] = true;
            stack.Push((rule, 0, 0));
        }
    }

    private static FormatException LeftRecursion(GrammarRules grammar, int rule) => new(
        $"rule '{grammar.Names[rule]}' refers to itself before it matches a character (left recursion); let it match something first");

    // Finds the rules that the start rule leads to. llama.cpp never visits the others.
    private static bool[] Used(GrammarRules grammar)
    {
        var used = new bool[grammar.Rules.Length];
        var open = new Stack<int>([grammar.Root]);
        used[grammar.Root] = true;
        while (open.TryPop(out var rule))
        {
            foreach (var symbol in grammar.Rules[rule].SelectMany(alternative => alternative))
            {
                if (symbol >= 0 && !used[symbol])
                {
                    used[symbol] = true;
                    open.Push(symbol);
                }
            }
        }

        return used;
    }

    // Finds the rules that can match the empty text, directly or through other rules.
    private static bool[] Nullable(GrammarRules grammar) =>
        Grow(grammar, (known, symbols) => Array.TrueForAll(symbols, symbol => symbol >= 0 && known[symbol]));

    // If a rule can neither match a character nor be empty, llama.cpp has no state left and aborts.
    private static void CheckProgress(GrammarRules grammar, bool[] empty, bool[] used)
    {
        var takes = Grow(grammar, (known, symbols) =>
        {
            foreach (var symbol in symbols)
            {
                if (symbol < 0 || known[symbol])
                {
                    return true;
                }

                if (!empty[symbol])
                {
                    return false;
                }
            }

            return false;
        });
        var dead = Enumerable.Range(0, takes.Length).FirstOrDefault(rule => used[rule] && !takes[rule] && !empty[rule], -1);
        if (dead >= 0)
        {
            throw new FormatException(
                $"rule '{grammar.Names[dead]}' can never match a character: it leads to rules that refer to themselves first (left recursion)");
        }
    }

    private static bool[] Grow(GrammarRules grammar, Func<bool[], int[], bool> holds)
    {
        var known = new bool[grammar.Rules.Length];
        for (var changed = true; changed;)
        {
            changed = false;

            // Rules that were created by rewriting refer to earlier rules, and later rules refer to them.
            for (var rule = 0; rule < known.Length; rule++)
            {
                if (!known[rule] && Array.Exists(grammar.Rules[rule], symbols => holds(known, symbols)))
                {
                    known[rule] = changed = true;
                }
            }
        }

        return known;
    }

    // Counts the states to which llama.cpp expands a rule. The number is infinite if a rule refers to itself with symbols left to match.
    private static void CheckExpansion(GrammarRules grammar, bool[] empty, bool[] used)
    {
        var components = new GrammarComponents(grammar, empty);
        var counts = new long[grammar.Rules.Length];
        foreach (var component in components.InOrder)
        {
            long sum = 0;
            foreach (var rule in component)
            {
                foreach (var (beginning, isLast) in GrammarComponents.Beginnings(grammar.Rules[rule], empty))
                {
                    var isInside = beginning >= 0 && components.Of(beginning) == components.Of(rule);
                    if (isInside && !isLast && used[rule])
                    {
                        throw LeftRecursion(grammar, rule);
                    }

                    sum += isInside ? 0 : beginning < 0 ? 1 : counts[beginning];
                }

                if (sum > MaxAlternatives && used[rule])
                {
                    throw new FormatException(
                        $"rule '{grammar.Names[rule]}' can begin in more than {MaxAlternatives} ways; merge alternatives that have the same beginning");
                }
            }

            foreach (var rule in component)
            {
                counts[rule] = Math.Clamp(sum, 1, MaxAlternatives + 1);
            }
        }
    }
}
