namespace MoeOffload;

/// <summary>Provides options for <see cref="MoeModel.Fit"/>: how much memory to use, and what else is loaded with the model.</summary>
public sealed record FitOptions
{
    /// <summary>Gets the memory that stays free on each device and in system memory, in bytes. The default is 512 MiB.</summary>
    public long Margin { get; init; } = PlacementProblem.DefaultMargin;

    /// <summary>
    /// Gets the memory of each device, in bytes, instead of what is free now. The machine then has this number of devices. If it has more
    /// than this machine, their sizes of compute buffers are estimated. The default is <see langword="null"/>.
    /// </summary>
    public IReadOnlyList<long>? DeviceBytes { get; init; }

    /// <summary>Gets the system memory, in bytes, instead of what is available now. The default is <see langword="null"/>.</summary>
    public long? HostBytes { get; init; }

    /// <summary>Gets the paths of LoRA adapters that are loaded with the model. The default is an empty list.</summary>
    public IReadOnlyList<string> Adapters
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Adapters));
    } = [];

    /// <summary>Gets the path of the model that drafts tokens, for which memory is kept free, or <see langword="null"/> if there is none.</summary>
    public string? DraftModelPath { get; init; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Margin);
        if (HostBytes is < 0 || DeviceBytes?.Any(bytes => bytes < 0) == true)
        {
            throw new ArgumentOutOfRangeException(HostBytes is < 0 ? nameof(HostBytes) : nameof(DeviceBytes), "A size of memory must be 0 or more.");
        }
    }
}
