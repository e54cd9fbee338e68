using System.Globalization;

namespace MoeOffload;

/// <summary>Represents where a model's tensors and its context are to be placed, and the memory that they take there.</summary>
public sealed record PlacementPlan
{
    /// <summary>Gets a value that indicates whether everything fits, with the margin left free in each memory.</summary>
    public required bool Fits { get; init; }

    /// <summary>
    /// Gets a value that indicates whether the sizes are those of llama.cpp's own allocator for these devices. Otherwise, the sizes of the
    /// weights come from the file, and the others are estimated.
    /// </summary>
    public bool IsExact { get; init; }

    /// <summary>Gets the memory of each device that is taken. System memory comes last.</summary>
    public required IReadOnlyList<PlannedMemory> Memory { get; init; }

    /// <summary>
    /// Gets the memory that the model's projector takes on each device. It is not a part of <see cref="Memory"/>, in which it is no longer free.
    /// The list is empty if the model has no projector.
    /// </summary>
    public IReadOnlyList<MemoryUse> ProjectorMemory { get; init; } = [];

    /// <summary>Gets the rules of the user, followed by those of the plan.</summary>
    public required TensorPlacement Placement { get; init; }

    /// <summary>Gets the names of the devices that are used, in order. If the list is empty, only the CPU computes.</summary>
    public required IReadOnlyList<string> Devices { get; init; }

    /// <summary>Gets the number of layers on devices, counted from the last one. The output layer counts as one more.</summary>
    public required int GpuLayers { get; init; }

    /// <summary>
    /// Gets the number of layers on each device that is used, or the proportions that the user has set. The value is <see langword="null"/>
    /// if there are fewer than two devices.
    /// </summary>
    public IReadOnlyList<float>? TensorSplit { get; init; }

    /// <summary>Gets the limit of the system memory of routed experts, in bytes, or <see langword="null"/> if all of them are loaded.</summary>
    public long? ExpertMemory { get; init; }

    /// <summary>Gets the context that was planned for, with its length.</summary>
    public required ContextShape Context { get; init; }

    /// <summary>Gets the margin that stays free in each memory, in bytes.</summary>
    public required long Margin { get; init; }

    /// <summary>Gets the number of bytes of weights and of a full KV cache that each generated token reads.</summary>
    public required long BytesPerToken { get; init; }

    /// <summary>Gets the part of <see cref="BytesPerToken"/> that is read from devices. A plan maximizes it.</summary>
    public required long DeviceBytesPerToken { get; init; }

    /// <summary>Gets the number of layers whose experts are all on a device.</summary>
    public required int ExpertLayersOnDevices { get; init; }

    /// <summary>Gets the number of layers that have experts.</summary>
    public required int ExpertLayers { get; init; }

    /// <summary>Gets what is missing where, or <see langword="null"/> if everything fits.</summary>
    public string? Shortage { get; init; }

    /// <summary>Gets changes with which the model would fit. The list is empty if it fits as it is, or if none of the known changes suffices.</summary>
    public IReadOnlyList<PlacementAlternative> Alternatives { get; init; } = [];

    /// <summary>Gets the size of the experts in system memory before a limit applies, in bytes.</summary>
    internal long HostExpertBytes { get; init; }

    /// <summary>Gets the number of layers on each device of the problem, whether it is used or not.</summary>
    internal IReadOnlyList<int> LayerCounts { get; init; } = [];

    /// <summary>Gets a value that indicates whether experts are in system memory while a device holds layers.</summary>
    internal bool OffloadsExperts { get; init; }

    /// <summary>Gets a value that indicates whether a device of the problem is not used.</summary>
    internal bool LeavesDevicesOut { get; init; }

    /// <summary>Gets the memories that are too small, with the bytes that they lack.</summary>
    internal IReadOnlyList<(string Device, long Bytes)> Lacking { get; init; } = [];

    /// <summary>Returns the options of the command that lead to the placement, in llama.cpp's notation.</summary>
    public override string ToString()
    {
        var options = new List<string> { string.Create(CultureInfo.InvariantCulture, $"-ngl {GpuLayers}") };
        if (LeavesDevicesOut)
        {
            options.Insert(0, "-dev " + (Devices.Count == 0 ? "none" : string.Join(',', Devices)));
        }

        if (TensorSplit is { } shares)
        {
            options.Add("-ts " + string.Join(',', shares.Select(share => share.ToString(CultureInfo.InvariantCulture))));
        }

        if (Placement.Rules.Count > 0)
        {
            options.Add(Placement.ToString());
        }

        if (ExpertMemory is { } limit)
        {
            options.Add(string.Create(CultureInfo.InvariantCulture, $"--expert-memory {limit}"));
        }

        return string.Join(' ', options);
    }
}
