namespace MoeOffload;

/// <summary>
/// Represents what a placement is planned for: a model, the memory of a machine, a context, and what the user has decided already. All of
/// it is plain data, so the machine need not be this one.
/// </summary>
public sealed record PlacementProblem
{
    /// <summary>The memory that stays free in each memory by default, in bytes: 512 MiB.</summary>
    public const long DefaultMargin = 512L << 20;

    /// <summary>Gets the model.</summary>
    public required PlacementModel Model { get; init; }

    /// <summary>Gets the devices that can hold layers, in llama.cpp's order. The default is an empty list: only the CPU computes.</summary>
    public IReadOnlyList<PlacementDevice> Devices
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Devices));
    } = [];

    /// <summary>Gets the system memory that is available, in bytes.</summary>
    public required long HostBytes { get; init; }

    /// <summary>Gets the memory that stays free on each device and in system memory, in bytes. The default is <see cref="DefaultMargin"/>.</summary>
    public long Margin { get; init; } = DefaultMargin;

    /// <summary>Gets the context that the model is used with.</summary>
    public ContextShape Context
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Context));
    } = new();

    /// <summary>Gets the rules that the user has set. They take precedence, and the plan adds rules after them. By default, there are none.</summary>
    public TensorPlacement Placement
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Placement));
    } = TensorPlacement.Default;

    /// <summary>Gets the number of layers on devices that the user has set, or <see langword="null"/> if it is to be planned.</summary>
    public int? GpuLayers { get; init; }

    /// <summary>Gets the proportions in which the user has split the layers among devices, or <see langword="null"/> if they are to be planned.</summary>
    public IReadOnlyList<float>? TensorSplit { get; init; }

    /// <summary>
    /// Gets the limit of the system memory of routed experts, in bytes (<see cref="ExpertStorage"/>), or <see langword="null"/> if all of
    /// them are loaded.
    /// </summary>
    public long? ExpertMemory { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Model);
        ArgumentOutOfRangeException.ThrowIfNegative(HostBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(Margin);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Model.LayerCount);
        Context.Validate();
        if (GpuLayers is < 0 || ExpertMemory is <= 0)
        {
            throw new ArgumentOutOfRangeException(
                GpuLayers is < 0 ? nameof(GpuLayers) : nameof(ExpertMemory), "The number of layers must be 0 or more, and the limit of experts greater than 0.");
        }

        if (TensorSplit is { } shares && !(shares.Count > 0 && shares.Sum() > 0 && shares.All(share => share >= 0 && float.IsFinite(share))))
        {
            throw new ArgumentOutOfRangeException(nameof(TensorSplit), "Each share must be a finite number of 0 or more, and at least one must be greater than 0.");
        }

        if (Devices.Any(device => device.FreeBytes < 0) || Devices.Select(device => device.Name).Distinct(StringComparer.Ordinal).Count() < Devices.Count)
        {
            throw new ArgumentException("A device has a negative size, or two devices have the same name.", nameof(Devices));
        }
    }
}
