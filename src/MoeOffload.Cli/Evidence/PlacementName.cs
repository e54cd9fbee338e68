using MoeOffload.Cli.Measurement;

namespace MoeOffload.Cli.Evidence;

/// <summary>Placements in words.</summary>
internal static class PlacementName
{
    public static string Of(string placement) => placement switch
    {
        BenchPlacement.Offload => "experts on CPU",
        BenchPlacement.Device => "all on device",
        BenchPlacement.Cpu => "CPU only",
        _ => placement,
    };
}
