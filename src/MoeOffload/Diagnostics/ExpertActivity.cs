using System.Globalization;
using MoeOffload.Placement;

namespace MoeOffload.Diagnostics;

/// <summary>
/// Represents how often the router of each layer chose each expert, as <see cref="GenerationSession.ExpertActivity"/> had counted it at
/// one point in time. Instances are immutable.
/// </summary>
/// <remarks>
/// The counts include every token that was computed, in prompts and in generated text, of all sequences. A token that is computed again
/// counts again. In the last layer, most architectures compute only the tokens that are sampled from, so that it counts fewer tokens.
/// GroveMoE's routers choose twice in each layer, so that each token counts twice. Layers without a router, and shared experts, are not
/// counted.
/// </remarks>
public sealed class ExpertActivity
{
    private readonly long[] _counts;
    private readonly long[] _tokens;

    /// <summary>Initializes a new instance of the <see cref="ExpertActivity"/> class from counts, without copying them.</summary>
    /// <param name="expertCount">The number of experts in each layer.</param>
    /// <param name="counts">The count of each expert of each layer, with the layer as the outer dimension.</param>
    /// <param name="tokens">The number of tokens that the router of each layer chose experts for.</param>
    internal ExpertActivity(int expertCount, long[] counts, long[] tokens)
    {
        ExpertCount = expertCount;
        _counts = counts;
        _tokens = tokens;
        Layers = [.. Enumerable.Range(0, tokens.Length).Where(layer => tokens[layer] > 0)];
        TokenCount = tokens.Max();
    }

    /// <summary>Gets the number of the model's layers, including those without experts.</summary>
    public int LayerCount => _tokens.Length;

    /// <summary>Gets the number of experts in each mixture-of-experts layer, without shared experts.</summary>
    public int ExpertCount { get; }

    /// <summary>Gets the layers whose routers have chosen experts, in ascending order.</summary>
    public IReadOnlyList<int> Layers { get; }

    /// <summary>Gets the number of tokens that were counted in the layer with the most tokens.</summary>
    public long TokenCount { get; }

    /// <summary>Gets the number of tokens that a layer's router chose experts for.</summary>
    /// <param name="layer">The zero-based number of the layer.</param>
    /// <returns>The number of tokens.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The layer does not exist.</exception>
    public long GetTokenCount(int layer)
    {
        CheckLayer(layer);
        return _tokens[layer];
    }

    /// <summary>Gets how often a layer's router chose each expert.</summary>
    /// <param name="layer">The zero-based number of the layer.</param>
    /// <returns>
    /// <see cref="ExpertCount"/> values. Their sum is <see cref="GetTokenCount"/> multiplied by the number of experts that each token uses.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The layer does not exist.</exception>
    public ReadOnlySpan<long> GetCounts(int layer)
    {
        CheckLayer(layer);
        return _counts.AsSpan(layer * ExpertCount, ExpertCount);
    }

    /// <summary>Gets an expert's share of the choices of a layer's router.</summary>
    /// <param name="layer">The zero-based number of the layer.</param>
    /// <param name="expert">The zero-based number of the expert.</param>
    /// <returns>The share, from 0 to 1, or 0 if the router has not chosen. It is 1/<see cref="ExpertCount"/> if all experts are chosen equally often.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The layer or the expert does not exist.</exception>
    public double GetShare(int layer, int expert)
    {
        ReadOnlySpan<long> counts = GetCounts(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)expert, (uint)ExpertCount, nameof(expert));
        return counts[expert] / (double)Math.Max(1, Sum(counts));
    }

    /// <summary>Gets what was counted since an earlier point in time of the same session.</summary>
    /// <param name="earlier">The activity at the earlier point in time.</param>
    /// <returns>The difference between this activity and the earlier one.</returns>
    /// <exception cref="ArgumentException"><paramref name="earlier"/> belongs to another model, or is not earlier.</exception>
    public ExpertActivity Since(ExpertActivity earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        if (earlier.LayerCount != LayerCount || earlier.ExpertCount != ExpertCount)
        {
            throw new ArgumentException(
                $"The earlier activity has {earlier.LayerCount} layers of {earlier.ExpertCount} experts, and this one has {LayerCount} of {ExpertCount}. Both must come from the same session.",
                nameof(earlier));
        }

        long[] counts = [.. _counts.Zip(earlier._counts, (now, before) => now - before)];
        long[] tokens = [.. _tokens.Zip(earlier._tokens, (now, before) => now - before)];
        return counts.Concat(tokens).All(count => count >= 0)
            ? new ExpertActivity(ExpertCount, counts, tokens)
            : throw new ArgumentException("The earlier activity has higher counts than this one. It must come from the same session, at an earlier point in time.", nameof(earlier));
    }

    /// <summary>
    /// Writes a line for each layer whose router has chosen experts: the number of tokens, the number of unused experts, the busiest expert
    /// and its share, and a map with one character for each expert, from a space for an unused one to <c>@</c> for the busiest.
    /// </summary>
    /// <param name="writer">The writer that receives the table.</param>
    public void WriteTo(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var table = new TextTable(">layer", ">tokens", ">unused", ">busiest", ">share", $"experts 0 to {ExpertCount - 1}");
        foreach (int layer in Layers)
        {
            ReadOnlySpan<long> counts = GetCounts(layer);
            int busiest = IndexOfLargest(counts);
            table.Add(
                TextTable.Count(layer),
                _tokens[layer].ToString(CultureInfo.InvariantCulture),
                TextTable.Count(counts.Count(0)),
                TextTable.Count(busiest),
                (GetShare(layer, busiest) * 100).ToString("F1", CultureInfo.InvariantCulture) + " %",
                $"|{HeatMap(counts)}|");
        }

        table.WriteTo(writer);
    }

    /// <summary>Returns the table that <see cref="WriteTo"/> writes.</summary>
    public override string ToString()
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        WriteTo(writer);
        return writer.ToString();
    }

    private static string HeatMap(ReadOnlySpan<long> counts)
    {
        const string Heat = ".:-=+*#%@";
        long most = Math.Max(1, counts[IndexOfLargest(counts)]);
        Span<char> map = stackalloc char[counts.Length];
        for (int i = 0; i < counts.Length; i++)
        {
            map[i] = counts[i] == 0 ? ' ' : Heat[(int)((Heat.Length - 1) * counts[i] / most)];
        }

        return new string(map);
    }

    private static int IndexOfLargest(ReadOnlySpan<long> counts)
    {
        int largest = 0;
        for (int i = 1; i < counts.Length; i++)
        {
            largest = counts[i] > counts[largest] ? i : largest;
        }

        return largest;
    }

    private static long Sum(ReadOnlySpan<long> counts)
    {
        long sum = 0;
        foreach (long count in counts)
        {
            sum += count;
        }

        return sum;
    }

    private void CheckLayer(int layer) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)layer, (uint)LayerCount, nameof(layer));
}
