using System.Diagnostics;

namespace MoeOffload.Benchmarks;

/// <summary>Measures how evenly a reader gets its tokens. Tokens that come in a group share the time since the group before.</summary>
internal sealed class StepTimes
{
    private readonly List<double> _seconds = [];

    /// <summary>Gets the 99th percentile of the times per token, divided by their median.</summary>
    public double Unevenness => _seconds.Order().ElementAt((int)(0.99 * (_seconds.Count - 1))) / Samples.Median(_seconds);

    /// <summary>Reads a stream to its end.</summary>
    public async Task ReadAsync(TokenStream stream)
    {
        await using IAsyncEnumerator<GeneratedToken> reader = stream.GetAsyncEnumerator();
        long before = 0;
        long arrival = 0;
        int size = 0;
        while (true)
        {
            ValueTask<bool> next = reader.MoveNextAsync();
            bool isWaiting = !next.IsCompleted;
            bool hasNext = await next;
            if ((isWaiting || !hasNext) && size > 0)
            {
                // The time of the first group includes the prompt.
                double each = Stopwatch.GetElapsedTime(before, arrival).TotalSeconds / size;
                _seconds.AddRange(Enumerable.Repeat(each, before > 0 ? size : 0));
                before = arrival;
                size = 0;
            }

            if (!hasNext)
            {
                return;
            }

            arrival = size++ == 0 ? Stopwatch.GetTimestamp() : arrival;
        }
    }
}
