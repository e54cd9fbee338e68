using System.Collections;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Lines of samples, in their order.</summary>
/// <param name="samples">The samples.</param>
internal sealed class SampleSet(IReadOnlyList<Sample> samples) : IReadOnlyList<Sample>
{
    public int Count => samples.Count;

    public Sample this[int index] => samples[index];

    /// <summary>Reads a file of JSON lines.</summary>
    /// <exception cref="FormatException">A line is no JSON object; the message says which.</exception>
    public static SampleSet Read(string path) => new([.. File.ReadLines(path).Select((line, index) => Sample.Parse(index + 1, line))]);

    /// <summary>The samples with these values.</summary>
    public SampleSet Where(JsonObject fields) => new([.. samples.Where(sample => sample.Has(fields))]);

    /// <summary>The samples that a field tells apart, by its values in the order in which they come.</summary>
    public IEnumerable<(JsonNode? Value, SampleSet Samples)> By(string field) => samples
        .GroupBy(sample => sample.Fields[field]?.ToJsonString())
        .Select(group => (group.First().Fields[field], new SampleSet([.. group])));

    /// <summary>All numbers of a field; see <see cref="Sample.Numbers"/>.</summary>
    public double[] Numbers(string field) => [.. samples.SelectMany(sample => sample.Numbers(field))];

    public IEnumerator<Sample> GetEnumerator() => samples.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
