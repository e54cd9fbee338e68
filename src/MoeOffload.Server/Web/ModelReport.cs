namespace MoeOffload.Server.Web;

/// <summary>A model's state, its memory, and where its tensors lie: the answer of <c>GET /api/models/{name}/status</c>.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Status"><c>unloaded</c>, <c>loading</c>, <c>loaded</c> or <c>failed</c>.</param>
/// <param name="Loaded">Whether it is loaded.</param>
/// <param name="Progress">How far a load is, from 0 to 1.</param>
/// <param name="Error">Why the last load failed.</param>
/// <param name="ActiveRequests">Requests that use it, or wait for it.</param>
/// <param name="Info">What it is; null unless loaded, as all that follows.</param>
/// <param name="Devices">What each device holds of it.</param>
/// <param name="Placement">Where its tensors lie.</param>
/// <param name="Experts">How often each expert was chosen; null as well where that is not counted.</param>
/// <param name="Session">What its session does.</param>
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
    SessionFacts? Session);

/// <summary>What a model is.</summary>
internal sealed record ModelFacts(
    string Name, string Architecture, string Description, long Parameters, int Layers, int Experts, int ExpertsUsed, int TrainedContextLength, long Bytes);

/// <summary>What a device holds of a model, and has besides; all in bytes, totals 0 where the device does not say.</summary>
internal sealed record DeviceMemory(
    string Name, string? Description, long TotalBytes, long FreeBytes, long WeightBytes, long ContextBytes, long ComputeBytes);

/// <summary>Where a model's tensors lie.</summary>
/// <param name="Devices">The memories that hold some, system memory last.</param>
/// <param name="Layers">The layers' tensors.</param>
/// <param name="Others">The tensors outside the layers.</param>
internal sealed record PlacementMap(IReadOnlyList<DeviceWeights> Devices, IReadOnlyList<LayerTensors> Layers, IReadOnlyList<GroupTensors> Others);

/// <summary>The weights in a device's memory, or in the system's.</summary>
internal sealed record DeviceWeights(string Name, int Tensors, long WeightBytes);

/// <summary>The tensors of a layer.</summary>
internal sealed record LayerTensors(int Layer, IReadOnlyList<GroupTensors> Groups);

/// <summary>Tensors of one kind in one memory.</summary>
internal sealed record GroupTensors(string Kind, string Device, int Tensors, long Bytes);

/// <summary>How often the router of each layer chose each expert.</summary>
/// <param name="Count">Experts of each layer.</param>
/// <param name="Used">Experts that a token uses.</param>
/// <param name="Layers">The layers with experts.</param>
internal sealed record ExpertCounts(int Count, int Used, IReadOnlyList<LayerCounts> Layers);

/// <summary>The choices of one layer's router.</summary>
internal sealed record LayerCounts(int Layer, long Tokens, IReadOnlyList<long> Counts);

/// <summary>What a session does and has done.</summary>
internal sealed record SessionFacts(
    int ContextLength, int Sequences, int Running, int Queued, long Requests, long PromptTokens, long CachedPromptTokens);
