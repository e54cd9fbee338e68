using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Receives the samples of a benchmark.</summary>
internal interface ISampleLog
{
    /// <summary>Adds a sample, with names in snake case, sizes in bytes and times in milliseconds. A list of numbers is the only value that is not flat.</summary>
    void Add(JsonObject sample);
}
