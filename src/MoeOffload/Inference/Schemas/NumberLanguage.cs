using System.Numerics;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Writes the texts of numbers within bounds as automata. Numbers that are not bounded are written with up to 16 digits before the decimal
/// point and as many after it, and no bounded number has an exponent.
/// </summary>
/// <param name="work">The budget.</param>
internal sealed class NumberLanguage(WorkBudget work)
{
    private const int UsualDigits = 16;
    private const int MaxStates = 400;

    private static readonly CharSet[] s_digits = [.. Enumerable.Range('0', 10).Select(digit => CharSet.Of((digit, digit))), CharSet.Of(('.', '.'))];

    /// <summary>Determines whether multiples of a number can be expressed.</summary>
    public static bool CanDivide(ExactNumber divisor) =>
        divisor.Length <= 2 * UsualDigits
        && (divisor.Mantissa.IsOne || divisor.Mantissa * BigInteger.Pow(10, (int)Math.Max(divisor.Exponent, 0)) * (2 + Math.Max(-divisor.Exponent, 0)) <= MaxStates);

    /// <summary>Returns the texts of the numbers that are not negative, and those of the others without their sign.</summary>
    /// <exception cref="FormatException">An automaton is too large.</exception>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public (Dfa Natural, Dfa Negative) Of(NumberFacts facts, JsonKinds kinds)
    {
        ExactNumber zero = ExactNumber.Of(0);
        long length = new[] { facts.Least?.Value, facts.Most?.Value }.OfType<ExactNumber>().Concat(facts.Divisors).Concat(facts.NonDivisors).Select(number => number.Length + 1).DefaultIfEmpty().Max();
        Dfa texts = Texts(kinds, (int)Math.Max(UsualDigits, length));
        foreach (ExactNumber divisor in facts.Divisors)
        {
            texts = texts.Intersect(Multiples(divisor), work);
        }

        foreach (ExactNumber divisor in facts.NonDivisors)
        {
            texts = texts.Intersect(Multiples(divisor).Complement(work), work);
        }

        Dfa natural = facts.Least is { } least && least.Value.Mantissa.Sign >= 0 ? texts.Intersect(AtLeast(least.Value, least.IsOpen), work) : texts;
        natural = facts.Most is not { } most ? natural : natural.Intersect(most.Value.Mantissa.Sign < 0 ? Dfa.OfTexts([], work) : AtMost(most.Value, most.IsOpen), work);

        Dfa negative = texts.Intersect(facts.Most is { Value.Mantissa.Sign: < 0 } top ? AtLeast(top.Value.Magnitude, top.IsOpen) : AtLeast(zero, isOpen: true), work);
        negative = facts.Least is not { } bottom ? negative
            : negative.Intersect(bottom.Value.Mantissa.Sign >= 0 ? Dfa.OfTexts([], work) : AtMost(bottom.Value.Magnitude, bottom.IsOpen), work);
        foreach (ExactNumber excluded in facts.Excluded)
        {
            Dfa others = Exactly(excluded.Magnitude).Complement(work);
            (natural, negative) = excluded.Mantissa.Sign >= 0 ? (natural.Intersect(others, work), negative) : (natural, negative.Intersect(others, work));
        }

        return (natural, negative);
    }

    private static PatternNode.Repetition Digits(int least, int? most, char from = '0') => new PatternNode.Repetition(PatternNode.Range(from, '9'), least, most);

    private static PatternNode.Choice Either(params PatternNode[] alternatives) => new PatternNode.Choice(alternatives);

    private static PatternNode Fraction => Either(PatternNode.Empty, PatternNode.Join(PatternNode.Text("."), Digits(1, null)));

    private Dfa Texts(JsonKinds kinds, int digits)
    {
        PatternNode whole = Either(PatternNode.Text("0"), PatternNode.Join(PatternNode.Range('1', '9'), Digits(0, digits - 1)));
        PatternNode fraction = PatternNode.Join(PatternNode.Text("."), Digits(1, digits));
        Dfa all = Dfa.Of(kinds.HasFlag(JsonKinds.Fraction) ? PatternNode.Join(whole, Either(PatternNode.Empty, fraction)) : whole, work);
        return kinds.HasFlag(JsonKinds.Integer)
            ? all
            : all.Intersect(Dfa.Of(PatternNode.Join(Digits(1, null), PatternNode.Text("."), Digits(0, null), PatternNode.Range('1', '9'), Digits(0, null)), work), work);
    }

    private Dfa Exactly(ExactNumber value)
    {
        (string whole, string fraction) = value.Split();
        PatternNode zeros = new PatternNode.Repetition(PatternNode.Text("0"), 0, null);
        return Dfa.Of(fraction.Length > 0
            ? PatternNode.Join(PatternNode.Text($"{whole}.{fraction}"), zeros)
            : PatternNode.Join(PatternNode.Text(whole), Either(PatternNode.Empty, PatternNode.Join(PatternNode.Text("."), zeros))), work);
    }

    private Dfa AtLeast(ExactNumber bound, bool isOpen)
    {
        (string whole, string fraction) = bound.Split();
        List<PatternNode> alternatives = [PatternNode.Join(PatternNode.Range('1', '9'), Digits(whole.Length, null), Fraction)];
        for (int i = 0; i < whole.Length; i++)
        {
            alternatives.Add(PatternNode.Join(
                PatternNode.Text(whole[..i]), PatternNode.Range(whole[i] + 1, '9'), Digits(whole.Length - i - 1, whole.Length - i - 1), Fraction));
        }

        for (int i = 0; i < fraction.Length; i++)
        {
            alternatives.Add(PatternNode.Join(PatternNode.Text($"{whole}.{fraction[..i]}"), PatternNode.Range(fraction[i] + 1, '9'), Digits(0, null)));
        }

        PatternNode equal = PatternNode.Text(fraction.Length > 0 ? $"{whole}.{fraction}" : whole);
        PatternNode more = PatternNode.Join(Digits(0, null), PatternNode.Range('1', '9'), Digits(0, null));
        alternatives.Add((isOpen, fraction.Length > 0) switch
        {
            (true, true) => PatternNode.Join(equal, more),
            (true, false) => PatternNode.Join(equal, PatternNode.Text("."), more),
            (false, true) => PatternNode.Join(equal, Digits(0, null)),
            _ => PatternNode.Join(equal, Fraction),
        });
        return Dfa.Of(Either([.. alternatives]), work);
    }

    private Dfa AtMost(ExactNumber bound, bool isOpen)
    {
        (string whole, string fraction) = bound.Split();
        List<PatternNode> alternatives = [];
        if (whole.Length > 1)
        {
            alternatives.Add(PatternNode.Join(Either(PatternNode.Text("0"), PatternNode.Join(PatternNode.Range('1', '9'), Digits(0, whole.Length - 2))), Fraction));
        }

        for (int i = 0; i < whole.Length; i++)
        {
            alternatives.Add(PatternNode.Join(
                PatternNode.Text(whole[..i]), PatternNode.Range('0', whole[i] - 1), Digits(whole.Length - i - 1, whole.Length - i - 1), Fraction));
        }

        for (int i = 0; i < fraction.Length; i++)
        {
            string before = i == 0 ? whole : $"{whole}.{fraction[..i]}";
            alternatives.Add(PatternNode.Text(before));
            alternatives.Add(PatternNode.Join(PatternNode.Text($"{whole}.{fraction[..i]}"), PatternNode.Range('0', fraction[i] - 1), Digits(0, null)));
        }

        Dfa less = Dfa.Of(Either([.. alternatives]), work);
        return isOpen ? less : less.Complement(work).Intersect(Exactly(bound).Complement(work), work).Complement(work);
    }

    // Keeps the remainder, and the number of digits after the decimal point, or -1 before it.
    private Dfa Multiples(ExactNumber divisor)
    {
        if (divisor is { Mantissa.IsOne: true, Exponent: > 0 })
        {
            PatternNode zeros = PatternNode.Text(new string('0', (int)divisor.Exponent));
            return Dfa.Of(PatternNode.Join(Either(PatternNode.Text("0"), PatternNode.Join(PatternNode.Range('1', '9'), Digits(0, null), zeros)), PointZero), work);
        }

        int modulus = (int)(divisor.Mantissa * BigInteger.Pow(10, (int)Math.Max(divisor.Exponent, 0)));
        int places = (int)Math.Max(-divisor.Exponent, 0);
        Dfa digits = Dfa.Walk<Tuple<int, int>>(s_digits, new(0, -1), Follow, state => Remainder(state) == 0, work);
        return digits.Intersect(Dfa.Of(PatternNode.Join(Digits(1, null), Fraction), work), work);

        Tuple<int, int>? Follow(Tuple<int, int> state, int character)
        {
            (int remainder, int place) = state;
            if (character == '.')
            {
                return place < 0 ? new(remainder, 0) : null;
            }

            return character is < '0' or > '9' ? null
                : place >= places ? (character == '0' ? state : null)
                : new(((remainder * 10) + character - '0') % modulus, place < 0 ? -1 : place + 1);
        }

        int Remainder(Tuple<int, int> state) => (int)(state.Item1 * BigInteger.Pow(10, places - Math.Max(state.Item2, 0)) % modulus);
    }

    private static PatternNode PointZero =>
        Either(PatternNode.Empty, PatternNode.Join(PatternNode.Text("."), new PatternNode.Repetition(PatternNode.Text("0"), 1, null)));
}
