namespace MoeOffload.Shared;

/// <summary>Finds the names that a mistyped one may stand for.</summary>
internal static class NearNames
{
    /// <summary>Orders names by the number of characters that must change to get from one to the other (Levenshtein 1966).</summary>
    /// <param name="wrong">The mistyped name.</param>
    /// <param name="names">The known names.</param>
    /// <returns>The names with their distances, the nearest first.</returns>
    public static IEnumerable<(string Name, int Distance)> Of(string wrong, IEnumerable<string> names) =>
        names.Select(name => (Name: name, Distance: Distance(wrong, name)))
            .OrderBy(near => near.Distance)
            .ThenBy(near => near.Name, StringComparer.Ordinal);

    private static int Distance(string one, string other)
    {
        int[] row = [.. Enumerable.Range(0, other.Length + 1)];
        for (int i = 1; i <= one.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.Length; j++)
            {
                int replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j - 1], row[j]) + 1);
            }
        }

        return row[other.Length];
    }
}
