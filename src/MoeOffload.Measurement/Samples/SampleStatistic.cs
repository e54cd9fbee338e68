using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Represents a statistic of a field of the samples that have certain values.</summary>
/// <param name="Statistic">One of <see cref="Statistics.Statistic.Names"/>.</param>
/// <param name="Field">The field.</param>
/// <param name="Where">The values of other fields that a sample must have.</param>
/// <param name="OtherWhere">The values that the samples to compare with must have, for a statistic of two arrays; null for the same values.</param>
/// <param name="OtherField">The field of the samples to compare with; null for the same field.</param>
internal sealed record SampleStatistic(string Statistic, string Field, JsonObject Where, JsonObject? OtherWhere = null, string? OtherField = null)
{
    /// <summary>Computes the statistic; null if no sample has such a number.</summary>
    public double? Compute(SampleSet samples)
    {
        double[] values = samples.Where(Where).Numbers(Field);
        double[]? others = Statistics.Statistic.IsOfTwo(Statistic) ? samples.Where(OtherWhere ?? Where).Numbers(OtherField ?? Field) : null;
        return values.Length == 0 || others is { Length: 0 } ? null : Statistics.Statistic.Compute(Statistic, values, others);
    }

    /// <summary>Converts the statistic and its value to JSON.</summary>
    public JsonObject ToJson(SampleSet samples)
    {
        var json = new JsonObject { ["statistic"] = Statistic, ["field"] = Field, ["where"] = Where.DeepClone() };
        if (Statistics.Statistic.IsOfTwo(Statistic))
        {
            json["other_where"] = (OtherWhere ?? Where).DeepClone();
            json["other_field"] = OtherField ?? Field;
        }

        json["value"] = Compute(samples) is { } value && double.IsFinite(value) ? value : null;
        return json;
    }
}
