using System.Text.Json;
using System.Text.Json.Serialization;

namespace MoeOffload.Benchmarks;

/// <summary>Represents what one program reached on a model beside a number of busy processes, in each round.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Busy">The number of busy processes.</param>
/// <param name="Program">The program that was measured.</param>
/// <param name="Threads">Its number of threads; null for its default.</param>
/// <param name="Measure">What was measured, one of the constants.</param>
/// <param name="Rounds">The values: tokens per second, milliseconds, or ratios.</param>
internal sealed record SharedSample(string Model, int Busy, string Program, int? Threads, string Measure, IReadOnlyList<double> Rounds)
{
    public const string Ours = "MoeOffload";
    public const string Plain = "a busy process";

    public const string Prompt = "prompt";
    public const string Decode = "decode";

    /// <summary>The 99th percentile of the times per token, divided by their median.</summary>
    public const string Unevenness = "unevenness";

    /// <summary>What the busy processes count to in a second, all together, beside the program.</summary>
    public const string Neighbors = "neighbors";

    /// <summary>The milliseconds from loading to the first token, after several loads in the process.</summary>
    public const string Load = "load";

    /// <summary>The same, first in the process.</summary>
    public const string FirstLoad = "first load";

    private static readonly JsonSerializerOptions s_line = new(JsonSerializerDefaults.Web);

    /// <summary>Gets the median of the rounds.</summary>
    [JsonIgnore]
    public double Median => Samples.Median(Rounds);

    public static void Append(string path, IEnumerable<SharedSample> samples) => File.AppendAllLines(path, samples.Select(sample => JsonSerializer.Serialize(sample, s_line)));

    public static List<SharedSample> Read(string path) => [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<SharedSample>(line, s_line)!)];
}
