namespace MoeOffload.Measurement.Benches;

/// <summary>Represents one of the ways in which a benchmark loads its model.</summary>
/// <param name="Name">
/// <c>offload</c>: all experts in system memory, the rest on the accelerator; <c>device</c>: all on the accelerator; <c>cpu</c>: there is no
/// accelerator.
/// </param>
/// <param name="Load">The options for loading.</param>
internal sealed record BenchPlacement(string Name, ModelOptions Load)
{
    public const string Offload = "offload";
    public const string Device = "device";
    public const string Cpu = "cpu";
}
