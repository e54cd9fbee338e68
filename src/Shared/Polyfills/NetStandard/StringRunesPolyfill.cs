using System.Text;

namespace System;

/// <summary>Provides what <see cref="string"/> has since .NET Core 3.</summary>
internal static class StringRunesPolyfill
{
    /// <summary>Enumerates the Unicode scalar values of a text, with U+FFFD for unpaired surrogates.</summary>
    /// <param name="text">The text.</param>
    public static IEnumerable<Rune> EnumerateRunes(this string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && Rune.TryCreate(text[i], text[i + 1], out Rune pair))
            {
                i++;
                yield return pair;
            }
            else
            {
                yield return new Rune(char.IsSurrogate(text[i]) ? '\uFFFD' : text[i]);
            }
        }
    }
}
