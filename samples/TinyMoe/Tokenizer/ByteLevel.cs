using System.Text;
using System.Text.RegularExpressions;

namespace TinyMoe.Tokenizer;

/// <summary>Represents bytes as printable letters, and splits a text into words, as GPT-2 does.</summary>
internal static partial class ByteLevel
{
    private static readonly char[] s_letters = [.. MakeLetters()];

    /// <summary>Gets the letter of a byte: the same character if it is printable; otherwise, a character from U+0100 upwards.</summary>
    public static char Letter(byte value) => s_letters[value];

    /// <summary>Splits a text into words in letters. Merges do not cross words.</summary>
    public static IEnumerable<string> Words(string text)
    {
        foreach (Match match in Pattern().Matches(text))
        {
            yield return string.Concat(Encoding.UTF8.GetBytes(match.Value).Select(Letter));
        }
    }

    private static IEnumerable<char> MakeLetters()
    {
        int others = 0;
        for (int value = 0; value < 256; value++)
        {
            yield return value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : (char)(256 + others++);
        }
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pattern();
}
