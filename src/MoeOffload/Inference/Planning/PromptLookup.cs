namespace MoeOffload.Inference.Planning;

/// <summary>Drafts the next tokens from what followed the same ones before.</summary>
internal static class PromptLookup
{
    /// <summary>Finds what followed the last tokens when they appeared the last time before.</summary>
    /// <param name="tokens">All tokens so far.</param>
    /// <param name="limits">How long the match must be.</param>
    /// <param name="most">The most tokens to return.</param>
    /// <returns>The draft, a part of <paramref name="tokens"/>; empty if there is none.</returns>
    public static ReadOnlySpan<int> Find(ReadOnlySpan<int> tokens, DraftLimits limits, int most)
    {
        for (int length = Math.Min(limits.LongestLookup, tokens.Length - 1); length >= limits.ShortestLookup; length--)
        {
            int at = tokens[..^1].LastIndexOf(tokens[^length..]);
            if (at >= 0)
            {
                ReadOnlySpan<int> next = tokens[(at + length)..];
                return next[..Math.Min(next.Length, most)];
            }
        }

        return [];
    }
}
