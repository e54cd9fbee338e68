namespace MoeOffload.Placement;

/// <summary>Represents what a placement is planned for when a model is loaded.</summary>
/// <param name="Margin">The memory that stays free in each memory, in bytes.</param>
/// <param name="Context">The context that the model will be used with.</param>
internal sealed record AutoPlacement(long Margin, ContextShape Context);
