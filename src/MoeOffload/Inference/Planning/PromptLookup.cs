namespace MoeOffload.Inference.Planning;

/// <summary>Drafts the next tokens from what followed an earlier occurrence of the most recent tokens.</summary>
internal static class PromptLookup
{
    /// <summary>Finds what followed the last earlier occurrence of the most recent tokens.</summary>
    /// <param name="tokens">All tokens so far.</param>
    /// <param name="limits">The limits of the match length.</param>
    /// <param name="most">The maximum number of tokens to return.</param>
    /// <returns>The draft, which is a part of <paramref name="tokens"/>, or an empty span if there is no match.</returns>
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
