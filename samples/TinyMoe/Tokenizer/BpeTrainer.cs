namespace TinyMoe.Tokenizer;

/// <summary>Finds the merges of a byte-level BPE vocabulary (Sennrich et al. 2016, arXiv:1508.07909): the most frequent pair is always merged next.</summary>
internal static class BpeTrainer
{
    /// <param name="words">The words in letters, with the number of occurrences of each.</param>
    /// <param name="count">The maximum number of merges.</param>
    public static IReadOnlyList<(string Left, string Right)> Train(IReadOnlyDictionary<string, long> words, int count)
    {
        List<(List<string> Pieces, long Count)> parted =
            [.. words.OrderBy(word => word.Key, StringComparer.Ordinal).Select(word => (word.Key.Select(letter => letter.ToString()).ToList(), word.Value))];
        var merges = new List<(string, string)>();
        while (merges.Count < count && MostFrequent(parted) is { } pair)
        {
            merges.Add(pair);
            foreach (var (pieces, _) in parted)
            {
                Merge(pieces, pair);
            }
        }

        return merges;
    }

    /// <summary>Merges every occurrence of a pair, from the left.</summary>
    public static void Merge(List<string> pieces, (string Left, string Right) pair)
    {
        for (int i = 0; i + 1 < pieces.Count; i++)
        {
            if (pieces[i] == pair.Left && pieces[i + 1] == pair.Right)
            {
                pieces[i] += pieces[i + 1];
                pieces.RemoveAt(i + 1);
            }
        }
    }

    // If several pairs are equally frequent, the first one in ordinal order is returned, so that the result does not depend on the order of a
    // dictionary.
    private static (string Left, string Right)? MostFrequent(List<(List<string> Pieces, long Count)> words)
    {
        var counts = new Dictionary<(string Left, string Right), long>();
        foreach (var (pieces, count) in words)
        {
            for (int i = 0; i + 1 < pieces.Count; i++)
            {
                var pair = (pieces[i], pieces[i + 1]);
                counts[pair] = counts.GetValueOrDefault(pair) + count;
            }
        }

        return counts.Count == 0
            ? null
            : counts.OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key.Left, StringComparer.Ordinal)
                .ThenBy(pair => pair.Key.Right, StringComparer.Ordinal)
                .First().Key;
    }
}
