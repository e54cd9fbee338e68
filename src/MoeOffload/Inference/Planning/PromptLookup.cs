namespace MoeOffload.Inference.Planning;

/// <summary>Drafts the next tokens from what followed an earlier occurrence of the most recent tokens.</summary>
internal static class PromptLookup
{
    /// <summary>Finds what followed the last earlier occurrence of the most recent tokens.</summary>
    /// <param name="tokens">All tokens so far.</param>
    /// <param name="limits">The limits of the n-gram's size.</param>
    /// <param name="most">The maximum number of tokens to return.</param>
    /// <returns>The draft, which is a part of <paramref name="tokens"/>, or an empty span if there is no match.</returns>
    public static ReadOnlySpan<int> Find(ReadOnlySpan<int> tokens, DraftLimits limits, int most)
    {
        for (int size = Math.Min(limits.MaxNgramSize, tokens.Length - 1); size >= limits.MinNgramSize; size--)
        {
            int at = tokens[..^1].LastIndexOf(tokens[^size..]);
            if (at >= 0)
            {
                ReadOnlySpan<int> next = tokens[(at + size)..];
                next = next[..Math.Min(next.Length, most)];
                return next[..CountTokens(next)];
            }
        }

        return [];
    }

    // What stands for an image cannot be drafted.
    private static int CountTokens(ReadOnlySpan<int> tokens)
    {
        int count = 0;
        while (count < tokens.Length && tokens[count] >= 0)
        {
            count++;
        }

        return count;
    }
}
