using System.Text.Json;

namespace MoeOffload.Fixtures;

/// <summary>What was planned for a case, and what loading then took by the allocator.</summary>
/// <param name="Case">The case.</param>
/// <param name="Memory">Each memory.</param>
public sealed record PlanSample(PlanCase Case, IReadOnlyList<PlanSample.Use> Memory)
{
    /// <summary>Gets the folder that holds the samples.</summary>
    public static string Folder { get; } = Path.Combine(NativeBuild.Repository, "docs", "planning");

    private static JsonSerializerOptions Format { get; } = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Reads a file of samples, one JSON object per line.</summary>
    public static IReadOnlyList<T> Read<T>(string name) =>
        [.. File.ReadLines(Path.Combine(Folder, name)).Select(line => JsonSerializer.Deserialize<T>(line, Format)!)];

    /// <summary>Writes a file of samples.</summary>
    public static void Write<T>(string name, IEnumerable<T> samples)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, name), string.Concat(samples.Select(sample => JsonSerializer.Serialize(sample, Format) + "\n")));
    }

    /// <summary>One memory: weights, KV cache and compute buffers, in bytes.</summary>
    /// <param name="Memory"><c>system</c>, or <c>device</c>.</param>
    /// <param name="Planned">What was planned.</param>
    /// <param name="Taken">What was taken.</param>
    public sealed record Use(string Memory, long[] Planned, long[] Taken);
}
