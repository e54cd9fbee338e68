namespace MoeOffload.Server.Models;

/// <summary>Represents what a model takes besides text.</summary>
internal sealed record Modalities(bool Vision, bool Audio);
