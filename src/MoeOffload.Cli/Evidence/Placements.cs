namespace MoeOffload.Cli.Evidence;

/// <summary>The placements, as samples and files name them.</summary>
internal static class Placements
{
    /// <summary>Experts in system memory, everything else on the device.</summary>
    public const string Offload = "offload";

    /// <summary>Everything on the device.</summary>
    public const string Device = "device";

    /// <summary>Everything in system memory, where there is no device beside the CPU.</summary>
    public const string Cpu = "cpu";

    /// <summary>A placement in words.</summary>
    public static string NameOf(string placement) => placement switch
    {
        Offload => "experts on CPU",
        Device => "all on device",
        Cpu => "CPU only",
        _ => placement,
    };
}
