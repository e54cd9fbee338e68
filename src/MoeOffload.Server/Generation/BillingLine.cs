namespace MoeOffload.Server.Generation;

/// <summary>
/// Removes the line with which Anthropic's clients identify themselves at the beginning of the system text. It is meant for Anthropic's
/// accounting, and differs in each request, so that no prompt would be found in the prefix cache.
/// </summary>
internal static class BillingLine
{
    private const string Beginning = "x-anthropic-billing-header:";

    public static string Remove(string text)
    {
        if (!text.StartsWith(Beginning, StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        int end = text.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? string.Empty : text[(end + 1)..];
    }
}
