using System.Collections.Concurrent;
using System.Globalization;

namespace MoeOffload.Inference.Automata;

/// <summary>Finds the characters of the general categories of Unicode, by their short or long names.</summary>
internal static class UnicodeCategories
{
    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["Letter"] = "L",
        ["Cased_Letter"] = "LC",
        ["Uppercase_Letter"] = "Lu",
        ["Lowercase_Letter"] = "Ll",
        ["Titlecase_Letter"] = "Lt",
        ["Modifier_Letter"] = "Lm",
        ["Other_Letter"] = "Lo",
        ["Mark"] = "M",
        ["Nonspacing_Mark"] = "Mn",
        ["Spacing_Mark"] = "Mc",
        ["Enclosing_Mark"] = "Me",
        ["Number"] = "N",
        ["Decimal_Number"] = "Nd",
        ["digit"] = "Nd",
        ["Letter_Number"] = "Nl",
        ["Other_Number"] = "No",
        ["Punctuation"] = "P",
        ["punct"] = "P",
        ["Symbol"] = "S",
        ["Math_Symbol"] = "Sm",
        ["Currency_Symbol"] = "Sc",
        ["Modifier_Symbol"] = "Sk",
        ["Other_Symbol"] = "So",
        ["Separator"] = "Z",
        ["Space_Separator"] = "Zs",
        ["Line_Separator"] = "Zl",
        ["Paragraph_Separator"] = "Zp",
    };

    private static readonly string[] s_codes =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private static readonly ConcurrentDictionary<string, CharSet> s_sets = new(StringComparer.Ordinal);

    /// <summary>Returns the characters of a category, or null if there is none of that name.</summary>
    public static CharSet? Find(string name)
    {
        string value = name.StartsWith("General_Category=", StringComparison.Ordinal) ? name[17..] : name.StartsWith("gc=", StringComparison.Ordinal) ? name[3..] : name;
        string code = s_names.GetValueOrDefault(value, value);
        bool[] isWanted = [.. s_codes.Select(it => code == "LC" ? it is "Lu" or "Ll" or "Lt" : it == code || (code.Length == 1 && it[0] == code[0] && code != "C"))];
        return isWanted.Any(wanted => wanted) ? s_sets.GetOrAdd(code, _ => Collect(isWanted)) : null;
    }

    private static CharSet Collect(bool[] isWanted)
    {
        List<(int From, int To)> ranges = [];
        for (int value = 0; value <= CharSet.Last; value++)
        {
            if (isWanted[(int)CharUnicodeInfo.GetUnicodeCategory(value)])
            {
                _ = ranges.Count > 0 && ranges[^1].To == value - 1 ? (ranges[^1] = (ranges[^1].From, value)).To : Add(value);
            }
        }

        return CharSet.Of(ranges);

        int Add(int value)
        {
            ranges.Add((value, value));
            return value;
        }
    }
}
