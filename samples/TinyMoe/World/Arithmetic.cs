using System.Globalization;

namespace TinyMoe.World;

/// <summary>Sums, differences and comparisons up to 20, asked in digits, in words, and as a small tale.</summary>
internal static class Arithmetic
{
    private const int Most = 20;

    private static readonly string[] s_words =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
        "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    ];

    /// <summary>All that is held out.</summary>
    public static IReadOnlyList<(char Operation, int A, int B)> HeldOutCases { get; } = [.. Cases().Where(sum => HeldOut.IsSum(sum.Operation, sum.A, sum.B))];

    private static IReadOnlyList<(char Operation, int A, int B)> TrainedCases { get; } =
        [.. Cases().Where(sum => !HeldOut.IsSum(sum.Operation, sum.A, sum.B))];

    /// <summary>A question of those that training sees.</summary>
    public static Exchange Ask(SplitMix random)
    {
        if (random.Chance(0.1))
        {
            return AskNeighbor(random);
        }

        var (operation, a, b) = random.Choose(TrainedCases);
        return Ask(random, operation, a, b);
    }

    public static Exchange Ask(SplitMix random, char operation, int a, int b) => operation switch
    {
        '+' => Add(random, a, b),
        '-' => Subtract(random, a, b),
        _ => Compare(random, a, b),
    };

    /// <summary>The number that a word means; null for any other word.</summary>
    public static int? ToNumber(string word) =>
        Array.FindIndex(s_words, known => known.Equals(word, StringComparison.OrdinalIgnoreCase)) is >= 0 and var number ? number : null;

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

    // What makes numbers an order, and not just names.
    private static Exchange AskNeighbor(SplitMix random)
    {
        int low = random.Below(Most);
        return random.Below(4) switch
        {
            0 => new($"What comes after {low}?", $"{low + 1} comes after {low}."),
            1 => new($"What comes before {low + 1}?", $"{low} comes before {low + 1}."),
            2 => new($"What comes after {s_words[low]}?", $"{Capital(low + 1)} comes after {s_words[low]}."),
            _ => new($"What comes before {s_words[low + 1]}?", $"{Capital(low)} comes before {s_words[low + 1]}."),
        };
    }

    private static string Capital(int number) => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(s_words[number]);
}
