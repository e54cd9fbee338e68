namespace MoeOffload.Cli.Evidence.Templates;

/// <summary>Finds what a wrong name may have been meant to be.</summary>
internal static class NearNames
{
    private const int Most = 3;

    /// <summary>The nearest names: those that take the fewest changes of a character (Levenshtein 1966).</summary>
    public static IEnumerable<string> Of(string wrong, IEnumerable<string> names) =>
        names.OrderBy(name => Distance(wrong, name)).ThenBy(name => name, StringComparer.Ordinal).Take(Most).Select(name => $"'{name}'");

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
