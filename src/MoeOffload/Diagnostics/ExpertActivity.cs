using System.Globalization;
using MoeOffload.Placement;

namespace MoeOffload.Diagnostics;

/// <summary>
/// How often the router of each layer chose each expert: what <see cref="GenerationSession.ExpertActivity"/> had counted at one moment.
/// Immutable.
/// </summary>
/// <remarks>
/// Counted is what was computed: tokens of prompts and generated ones, of all sequences, and again those that are computed again after a
/// stop. Most architectures compute in the last layer only the tokens that are sampled from, so that it counts fewer than the others;
/// GroveMoE chooses twice in a layer, so that each token counts as two. Layers without a router, and experts that every token goes
/// through, have no counts.
/// </remarks>
public sealed class ExpertActivity
{
    private readonly long[] _counts;
    private readonly long[] _tokens;

    /// <summary>Takes over what was counted.</summary>
    /// <param name="expertCount">Experts of each layer.</param>
    /// <param name="counts">For each layer, the count of each expert.</param>
    /// <param name="tokens">For each layer, the tokens that its router chose for.</param>
    internal ExpertActivity(int expertCount, long[] counts, long[] tokens)
    {
        ExpertCount = expertCount;
        _counts = counts;
        _tokens = tokens;
        Layers = [.. Enumerable.Range(0, tokens.Length).Where(layer => tokens[layer] > 0)];
        TokenCount = tokens.Max();
    }

    /// <summary>Layers of the model, those without experts included.</summary>
    public int LayerCount => _tokens.Length;

    /// <summary>Experts of each mixture-of-experts layer, shared ones not counted.</summary>
    public int ExpertCount { get; }

    /// <summary>The layers whose routers have chosen, ascending.</summary>
    public IReadOnlyList<int> Layers { get; }

    /// <summary>Tokens that were counted: those of the layer that counted the most.</summary>
    public long TokenCount { get; }

    /// <summary>Tokens for which a layer's router chose.</summary>
    /// <param name="layer">The layer, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer.</exception>
    public long TokensOf(int layer)
    {
        CheckLayer(layer);
        return _tokens[layer];
    }

    /// <summary>How often a layer's router chose each expert, <see cref="ExpertCount"/> values; they add up to <see cref="TokensOf"/> times the experts that a token uses.</summary>
    /// <inheritdoc cref="TokensOf"/>
    public ReadOnlySpan<long> CountsOf(int layer)
    {
        CheckLayer(layer);
        return _counts.AsSpan(layer * ExpertCount, ExpertCount);
    }

    /// <summary>The part of a layer's choices that fell on an expert, from 0 to 1; with all experts alike 1/<see cref="ExpertCount"/>, and 0 where the layer has not chosen.</summary>
    /// <param name="layer">The layer, from 0.</param>
    /// <param name="expert">The expert, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such layer or expert.</exception>
    public double Share(int layer, int expert)
    {
        ReadOnlySpan<long> counts = CountsOf(layer);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)expert, (uint)ExpertCount, nameof(expert));
        return counts[expert] / (double)Math.Max(1, Sum(counts));
    }

    /// <summary>What was counted between an earlier moment of the same session and this one.</summary>
    /// <param name="earlier">The earlier activity.</param>
    /// <exception cref="ArgumentException"><paramref name="earlier"/> is of another model, or not earlier.</exception>
    public ExpertActivity Since(ExpertActivity earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        if (earlier.LayerCount != LayerCount || earlier.ExpertCount != ExpertCount)
        {
            throw new ArgumentException(
                $"It has {earlier.LayerCount} layers of {earlier.ExpertCount} experts, this one {LayerCount} of {ExpertCount}: take two of one session.",
                nameof(earlier));
        }

        long[] counts = [.. _counts.Zip(earlier._counts, (now, before) => now - before)];
        long[] tokens = [.. _tokens.Zip(earlier._tokens, (now, before) => now - before)];
        return counts.Concat(tokens).All(count => count >= 0)
            ? new ExpertActivity(ExpertCount, counts, tokens)
            : throw new ArgumentException("It has counted more than this one: take the earlier of two of one session.", nameof(earlier));
    }

    /// <summary>
    /// Writes a line for each layer that has chosen: its tokens, the experts that were never chosen, the busiest one with its share, and
    /// a map of one character for each expert, from a blank for none to <c>@</c> for the busiest.
    /// </summary>
    public void WriteTo(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var table = new TextTable(">layer", ">tokens", ">unused", ">busiest", ">share", $"experts 0 to {ExpertCount - 1}");
        foreach (int layer in Layers)
        {
            ReadOnlySpan<long> counts = CountsOf(layer);
            int busiest = IndexOfLargest(counts);
            table.Add(
                TextTable.Count(layer),
                _tokens[layer].ToString(CultureInfo.InvariantCulture),
                TextTable.Count(counts.Count(0)),
                TextTable.Count(busiest),
                (Share(layer, busiest) * 100).ToString("F1", CultureInfo.InvariantCulture) + " %",
                $"|{HeatMap(counts)}|");
        }

        table.WriteTo(writer);
    }

    /// <summary>The table that <see cref="WriteTo"/> writes.</summary>
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
