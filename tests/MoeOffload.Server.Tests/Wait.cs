using FluentAssertions;

namespace MoeOffload.Server.Tests;

/// <summary>Waits for what comes soon, but at no known time.</summary>
internal static class Wait
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    public static async Task Until(Func<bool> condition, TimeSpan? limit = null)
    {
        long end = Environment.TickCount64 + (long)(limit ?? s_limit).TotalMilliseconds;
        while (!condition() && Environment.TickCount64 < end)
        {
            await Task.Delay(5);
        }

        condition().Should().BeTrue("it came within {0}", limit ?? s_limit);
    }
}
