using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Takes what a bench measures, one sample after the other.</summary>
internal interface ISampleLog
{
    /// <summary>Takes a sample: names in snake case, sizes in bytes, times in milliseconds; a list of numbers is the only value that is not flat.</summary>
    void Add(JsonObject sample);
}
