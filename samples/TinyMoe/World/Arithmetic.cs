using System.Globalization;

namespace TinyMoe.World;

/// <summary>Generates sums, differences and comparisons up to 20, in digits, in words, and as a short story.</summary>
internal static class Arithmetic
{
    private const int Most = 20;

    private static readonly string[] s_words =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
        "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ];

    /// <summary>Gets all questions that are held out.</summary>
    public static IReadOnlyList<(char Operation, int A, int B)> HeldOutCases { get; } = [.. Cases().Where(sum => HeldOut.IsSum(sum.Operation, sum.A, sum.B))];

    private static IReadOnlyList<(char Operation, int A, int B)> TrainedCases { get; } =
        [.. Cases().Where(sum => !HeldOut.IsSum(sum.Operation, sum.A, sum.B))];

    /// <summary>Creates a question of the training data.</summary>
    public static Exchange Ask(SplitMix random) => AskTrained(random, Ask);

    public static Exchange Ask(SplitMix random, char operation, int a, int b) => operation switch
    {
        '+' => Add(random, a, b),
        '-' => Subtract(random, a, b),
        _ => Compare(random, a, b),
    };

    /// <summary>Creates a question of the training data, with the steps to its answer.</summary>
    public static Exchange Work(SplitMix random) => AskTrained(random, Work);

    /// <summary>
    /// Writes an answer that counts before it gives the result. Each step follows from the one before, so that a model that can count can
    /// solve sums that it has not seen; an answer of one word has to be memorized.
    /// </summary>
    public static Exchange Work(SplitMix random, char operation, int a, int b)
    {
        Exchange pair = Ask(random, operation, a, b);
        bool isInDigits = pair.Question.Any(char.IsAsciiDigit);
        string Write(int number) => isInDigits ? number.ToString(CultureInfo.InvariantCulture) : s_words[number];
        IEnumerable<string> steps = operation == '>'
            ? Enumerable.Range(0, Math.Min(a, b) + 1).Select(taken => $"{Write(a - taken)} and {Write(b - taken)}")
            : Enumerable.Range(1, b).Select(taken => $"{Write(taken)} is {Write(operation == '+' ? a + taken : a - taken)}");
        string counted = string.Join(", ", steps);
        counted = counted.Length == 0 ? "Nothing to count" : $"{char.ToUpperInvariant(counted[0])}{counted[1..]}";

        // A name keeps its capital letter.
        bool isName = Lexicon.Instance["name"].Any(name => pair.Answer.StartsWith($"{name} ", StringComparison.Ordinal));
        return new(pair.Question, $"{counted}, so {(isName ? pair.Answer[0] : char.ToLowerInvariant(pair.Answer[0]))}{pair.Answer[1..]}");
    }

    /// <summary>Gets the number that a word means, or <see langword="null"/> for any other word.</summary>
    public static int? ToNumber(string word) =>
        Array.FindIndex(s_words, known => known.Equals(word, StringComparison.OrdinalIgnoreCase)) is >= 0 and var number ? number : null;

    private static Exchange AskTrained(SplitMix random, Func<SplitMix, char, int, int, Exchange> ask)
    {
        if (random.Chance(0.1))
        {
            return AskNeighbor(random);
        }

        var (operation, a, b) = random.Choose(TrainedCases);
        return ask(random, operation, a, b);
    }

    private static IEnumerable<(char Operation, int A, int B)> Cases()
    {
        for (int a = 0; a <= Most; a++)
        {
            for (int b = 0; b <= Most; b++)
            {
                if (a + b <= Most)
                {
                    yield return ('+', a, b);
                }

                if (b <= a)
                {
                    yield return ('-', a, b);
                }

                if (a != b)
                {
                    yield return ('>', a, b);
                }
            }
        }
    }

    private static Exchange Add(SplitMix random, int a, int b)
    {
        int sum = a + b;
        switch (random.Below(a > 1 && b > 1 ? 6 : 4))
        {
            case 0: return new($"What is {a} + {b}?", $"{a} + {b} = {sum}.");
            case 1: return new($"{a} + {b} = ?", $"{a} + {b} = {sum}.");
            case 2: return new($"How much is {a} plus {b}?", $"{a} plus {b} is {sum}.");
            case 3: return new($"What is {s_words[a]} plus {s_words[b]}?", $"{Capital(a)} plus {s_words[b]} is {s_words[sum]}.");
            default:
                var (name, toys) = (random.Choose(Lexicon.Instance["name"]), random.Choose(Lexicon.Instance["toys"]));
                return new($"{name} has {a} {toys} and gets {b} more. How many {toys} does {name} have?", $"{name} has {sum} {toys}.");
        }
    }

    private static Exchange Subtract(SplitMix random, int a, int b)
    {
        int rest = a - b;
        switch (random.Below(b > 1 && rest > 1 ? 6 : 4))
        {
            case 0: return new($"What is {a} - {b}?", $"{a} - {b} = {rest}.");
            case 1: return new($"{a} - {b} = ?", $"{a} - {b} = {rest}.");
            case 2: return new($"How much is {a} minus {b}?", $"{a} minus {b} is {rest}.");
            case 3: return new($"What is {s_words[a]} minus {s_words[b]}?", $"{Capital(a)} minus {s_words[b]} is {s_words[rest]}.");
            default:
                var (name, toys) = (random.Choose(Lexicon.Instance["name"]), random.Choose(Lexicon.Instance["toys"]));
                return new($"{name} has {a} {toys} and gives {b} away. How many {toys} are left?", $"{name} has {rest} {toys} left.");
        }
    }

    private static Exchange Compare(SplitMix random, int a, int b)
    {
        var (more, less) = (Math.Max(a, b), Math.Min(a, b));
        return random.Below(5) switch
        {
            0 => new($"Which is bigger, {a} or {b}?", $"{more} is bigger than {less}."),
            1 => new($"Which is smaller, {a} or {b}?", $"{less} is smaller than {more}."),
            2 => new($"Is {a} bigger than {b}?", a > b ? $"Yes, {a} is bigger than {b}." : $"No, {a} is smaller than {b}."),
            3 => new($"Is {a} smaller than {b}?", a < b ? $"Yes, {a} is smaller than {b}." : $"No, {a} is bigger than {b}."),
            _ => new($"Which is more, {s_words[a]} or {s_words[b]}?", $"{Capital(more)} is more than {s_words[less]}."),
        };
    }

    // These questions teach the order of numbers, not just their names.
    private static Exchange AskNeighbor(SplitMix random)
    {
        int low = random.Below(Most);
        int high = Math.Min(low + 1 + random.Below(8), Most);
        return random.Below(6) switch
        {
            0 => new($"What comes after {low}?", $"{low + 1} comes after {low}."),
            1 => new($"What comes before {low + 1}?", $"{low} comes before {low + 1}."),
            2 => new($"What comes after {s_words[low]}?", $"{Capital(low + 1)} comes after {s_words[low]}."),
            3 => new($"What comes before {s_words[low + 1]}?", $"{Capital(low)} comes before {s_words[low + 1]}."),
            4 => new($"Count from {low} to {high}.", $"{string.Join(", ", Enumerable.Range(low, high - low + 1))}."),
            _ => new($"Count from {s_words[low]} to {s_words[high]}.", $"{Capital(low)}{string.Concat(Enumerable.Range(low + 1, high - low).Select(number => $", {s_words[number]}"))}."),
        };
    }

    private static string Capital(int number) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(s_words[number]);
}
