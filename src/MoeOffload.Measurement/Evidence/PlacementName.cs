using MoeOffload.Measurement.Benches;


namespace MoeOffload.Measurement.Evidence;

/// <summary>Returns the display names of placements.</summary>
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
