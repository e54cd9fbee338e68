namespace MoeOffload.Server.Web;

/// <summary>Represents a model's state, its memory, and the placement of its tensors: the answer of <c>GET /api/models/{name}/status</c>.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Status"><c>unloaded</c>, <c>loading</c>, <c>loaded</c> or <c>failed</c>.</param>
/// <param name="Loaded">Whether the model is loaded.</param>
/// <param name="Progress">The progress of loading, from 0 to 1.</param>
/// <param name="Error">The error message of the last load, or <see langword="null"/> if it succeeded.</param>
/// <param name="ActiveRequests">The number of requests that use or wait for the model.</param>
/// <param name="Info">The description of the model. This and the following parameters are <see langword="null"/> unless the model is loaded.</param>
/// <param name="Devices">The memory that the model uses on each device.</param>
/// <param name="Placement">The placement of its tensors.</param>
/// <param name="Experts">The number of times that each expert was chosen, or <see langword="null"/> if this is not counted.</param>
/// <param name="Session">The state of its session.</param>
/// <param name="Plan">The plan of its placement, or <see langword="null"/> if it was not planned.</param>
/// <param name="ExpertStorage">The use of experts that stay in the model's file, or <see langword="null"/> if all are loaded.</param>
internal sealed record ModelReport(
    string Model,
    string Status,
    bool Loaded,
    double Progress,
    string? Error,
    int ActiveRequests,
    ModelFacts? Info,
    IReadOnlyList<DeviceMemory>? Devices,
    PlacementMap? Placement,
    ExpertCounts? Experts,
    SessionFacts? Session,
    PlanFacts? Plan = null,
    ExpertStorageFacts? ExpertStorage = null);

/// <summary>Represents the description of a model.</summary>
internal sealed record ModelFacts(
    string Name, string Architecture, string Description, long Parameters, int Layers, int Experts, int ExpertsUsed, int TrainedContextLength, long Bytes);

/// <summary>Represents the memory of a device and what a model uses of it, in bytes. The totals are 0 if the device does not report them.</summary>
internal sealed record DeviceMemory(
    string Name, string? Description, long TotalBytes, long FreeBytes, long WeightBytes, long ContextBytes, long ComputeBytes);

/// <summary>Represents the placement of a model's tensors.</summary>
/// <param name="Devices">The memories that hold tensors, with system memory last.</param>
/// <param name="Layers">The tensors of the layers.</param>
/// <param name="Others">The tensors outside the layers.</param>
internal sealed record PlacementMap(IReadOnlyList<DeviceWeights> Devices, IReadOnlyList<LayerTensors> Layers, IReadOnlyList<GroupTensors> Others);

/// <summary>Represents the weights in the memory of a device or in system memory.</summary>
internal sealed record DeviceWeights(string Name, int Tensors, long WeightBytes);

/// <summary>Represents the tensors of a layer.</summary>
internal sealed record LayerTensors(int Layer, IReadOnlyList<GroupTensors> Groups);

/// <summary>Represents the tensors of one kind in one memory.</summary>
internal sealed record GroupTensors(string Kind, string Device, int Tensors, long Bytes);

/// <summary>Represents the number of times that the router of each layer chose each expert.</summary>
/// <param name="Count">The number of experts of each layer.</param>
/// <param name="Used">The number of experts that a token uses.</param>
/// <param name="Layers">The layers that have experts.</param>
internal sealed record ExpertCounts(int Count, int Used, IReadOnlyList<LayerCounts> Layers);

/// <summary>Represents the choices of the router of one layer.</summary>
internal sealed record LayerCounts(int Layer, long Tokens, IReadOnlyList<long> Counts);

/// <summary>Represents the state and the statistics of a session.</summary>
internal sealed record SessionFacts(
    int ContextLength, int SequenceLength, int Sequences, int Running, int Queued, long Requests, long PromptTokens, long CachedPromptTokens);

/// <summary>Represents what was planned before a model was loaded.</summary>
/// <param name="Exact">Whether the sizes are those of llama.cpp's own allocator.</param>
/// <param name="Options">The options of the command that lead to the placement.</param>
/// <param name="ContextLength">The context length that was planned for.</param>
/// <param name="MarginBytes">The memory that stays free in each memory.</param>
/// <param name="BytesPerToken">The number of bytes that each generated token reads.</param>
/// <param name="DeviceBytesPerToken">The part of <paramref name="BytesPerToken"/> that is read from devices.</param>
/// <param name="ExpertLayers">The number of layers that have experts.</param>
/// <param name="ExpertLayersOnDevices">The number of layers whose experts are all on a device.</param>
/// <param name="Devices">The memory of each device.</param>
internal sealed record PlanFacts(
    bool Exact,
    string Options,
    int ContextLength,
    long MarginBytes,
    long BytesPerToken,
    long DeviceBytesPerToken,
    int ExpertLayers,
    int ExpertLayersOnDevices,
    IReadOnlyList<PlannedDevice> Devices);

/// <summary>Represents what was planned for the memory of a device, in bytes, and what was free there before.</summary>
internal sealed record PlannedDevice(string Name, long WeightBytes, long ContextBytes, long ComputeBytes, long OtherBytes, long FreeBytes);

/// <summary>Represents the use of experts that stay in a model's file.</summary>
/// <param name="LimitBytes">The maximum memory of these experts.</param>
/// <param name="ResidentBytes">The memory that they take now.</param>
/// <param name="PeakBytes">The most memory that they have taken.</param>
/// <param name="TotalBytes">The size of all of them.</param>
/// <param name="Layers">The layers that have such experts.</param>
internal sealed record ExpertStorageFacts(long LimitBytes, long ResidentBytes, long PeakBytes, long TotalBytes, IReadOnlyList<StoredLayer> Layers);

/// <summary>Represents the use of the experts of one layer.</summary>
internal sealed record StoredLayer(int Layer, long Hits, long Misses, long BytesRead, double WaitSeconds);
