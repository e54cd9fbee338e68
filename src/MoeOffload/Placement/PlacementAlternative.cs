namespace MoeOffload;

/// <summary>Represents a change with which a model would fit, and the memory that it would then take.</summary>
/// <param name="Description">The change in a few words, such as <c>a context of 4096 tokens</c>.</param>
/// <param name="Context">The properties of the context with the change.</param>
/// <param name="ExpertMemory">The limit of the system memory of routed experts, in bytes, or <see langword="null"/> if all are loaded.</param>
/// <param name="Memory">The memory that would be taken on each device. System memory comes last.</param>
public sealed record PlacementAlternative(
    string Description, ContextShape Context, long? ExpertMemory, IReadOnlyList<PlannedMemory> Memory);
