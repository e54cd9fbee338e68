using System.Globalization;

namespace MoeOffload.Placement;

/// <summary>Compares a plan with the memory that is free when it is carried out.</summary>
internal static class PlanCheck
{
    private const double Mebibyte = 1 << 20;

    /// <summary>Finds the memories that have less free than was planned. The margin may be used up.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="free">The free memory of each device, and of the system, in bytes. What a device does not report is not compared.</param>
    public static IReadOnlyList<(string Device, long Bytes)> FindShortages(PlacementPlan plan, IReadOnlyDictionary<string, long> free) =>
    [
        .. from use in plan.Memory
           let available = free.GetValueOrDefault(use.Device)
           where use.TotalBytes > available && (available > 0 || use.Device == DeviceTotal.Host)
           select (use.Device, use.TotalBytes - available),
    ];

    /// <summary>Describes what was planned of which memory, and what is free now.</summary>
    /// <inheritdoc cref="FindShortages"/>
    public static string Compare(PlacementPlan plan, IReadOnlyDictionary<string, long> free) => string.Join("; ", plan.Memory.Select(use => string.Create(
        CultureInfo.InvariantCulture,
        $"{PlacementPlanner.NameOf(use.Device)}: {use.TotalBytes / Mebibyte:N0} MiB were planned of {use.FreeBytes / Mebibyte:N0} MiB, and {free.GetValueOrDefault(use.Device) / Mebibyte:N0} MiB are free now")));
}
