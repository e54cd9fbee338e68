using System.Globalization;

namespace MoeOffload.Shared;

/// <summary>Parses compute budgets such as <c>4/16.7</c>, in milliseconds, and <c>25%</c>.</summary>
internal static class ComputeTime
{
    /// <summary>Parses a budget, or returns null if it is not valid.</summary>
    public static ComputeBudget? TryParse(string text)
    {
        try
        {
            if (text.EndsWith('%'))
            {
                return ComputeBudget.FromShare(Parse(text[..^1]) / 100);
            }

            return text.Split('/') is [var time, var period]
                ? new ComputeBudget(TimeSpan.FromMilliseconds(Parse(time)), TimeSpan.FromMilliseconds(Parse(period)))
                : null;
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static double Parse(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : 0;
}
