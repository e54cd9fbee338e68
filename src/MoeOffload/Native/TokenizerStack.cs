using System.Globalization;

namespace MoeOffload.Native;

/// <summary>
/// Provides a sufficiently large stack for llama.cpp's tokenizer. Most vocabularies use <c>std::regex</c>, which recurses for each
/// character of a match: many letters or spaces in a row would otherwise overflow the stack and end the process.
/// </summary>
internal static class TokenizerStack
{
    /// <summary>The longest match that is allowed, in characters.</summary>
    public const int LongestMatch = 1 << 20;

    // 300 to 450 bytes per character were measured. Memory is only reserved; pages are allocated when they are accessed.
    private const int BytesPerCharacter = 1024;

    // Fits in the remaining stack of any thread.
    private const int ShortMatch = 256;

    /// <summary>Runs <paramref name="call"/>, which tokenizes <paramref name="text"/>, on a sufficiently large stack.</summary>
    /// <exception cref="ArgumentException">A single match could be longer than <see cref="LongestMatch"/>.</exception>
    public static void Run(ReadOnlySpan<byte> text, Action call)
    {
        int match = LongestPossibleMatch(text);
        if (match <= ShortMatch)
        {
            call();
            return;
        }

        if (match > LongestMatch)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"The text has a run of {match} characters without white space between them, or of white space alone; ")
                + $"at most {LongestMatch} can be tokenized: break it up.", nameof(text));
        }

        LargeStack.Run(match * BytesPerCharacter, call);
    }

    /// <summary>
    /// Gets an upper bound for the length of a match of any vocabulary's rules: white space followed by other characters. Characters beyond
    /// ASCII can be either.
    /// </summary>
    internal static int LongestPossibleMatch(ReadOnlySpan<byte> text)
    {
        int blanks = 0;
        int others = 0;
        int longestBlanks = 0;
        int longestOthers = 0;
        foreach (byte value in text)
        {
            bool isInsideCharacter = (value & 0xC0) == 0x80;
            if (isInsideCharacter)
            {
                continue;
            }

            bool isBlank = value is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r');
            bool isAscii = value < 0x80;
            blanks = isBlank || !isAscii ? blanks + 1 : 0;
            others = isBlank ? 0 : others + 1;
            longestBlanks = Math.Max(longestBlanks, blanks);
            longestOthers = Math.Max(longestOthers, others);
        }

        return longestBlanks + longestOthers;
    }
}
