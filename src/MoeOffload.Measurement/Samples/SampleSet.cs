using System.Collections;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Represents an ordered list of samples.</summary>
/// <param name="samples">The samples.</param>
internal sealed class SampleSet(IReadOnlyList<Sample> samples) : IReadOnlyList<Sample>
{
    public int Count => samples.Count;

    public Sample this[int index] => samples[index];

    /// <summary>Reads a file of JSON lines.</summary>
    /// <exception cref="FormatException">A line is not a JSON object. The message names the line.</exception>
    public static SampleSet Read(string path) => new([.. File.ReadLines(path).Select((line, index) => Sample.Parse(index + 1, line))]);

    /// <summary>Returns the samples that have these values.</summary>
    public SampleSet Where(JsonObject fields) => new([.. samples.Where(sample => sample.Has(fields))]);

    /// <summary>Groups the samples by the values of a field, in the order of their first occurrence.</summary>
    public IEnumerable<(JsonNode? Value, SampleSet Samples)> By(string field) => samples
        .GroupBy(sample => sample.Fields[field]?.ToJsonString())
        .Select(group => (group.First().Fields[field], new SampleSet([.. group])));

    /// <summary>Gets all numbers of a field; see <see cref="Sample.Numbers"/>.</summary>
    public double[] Numbers(string field) => [.. samples.SelectMany(sample => sample.Numbers(field))];

    public IEnumerator<Sample> GetEnumerator() => samples.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
