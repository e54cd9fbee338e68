using MoeOffload.Diagnostics;

namespace MoeOffload.Telemetry;

/// <summary>Represents a model whose state is observed.</summary>
internal interface IMeasuredModel
{
    /// <summary>Gets the id of the model.</summary>
    string Id { get; }

    /// <summary>Gets the placement of the tensors.</summary>
    PlacementReport Placement { get; }

    /// <summary>Reads the use of experts that stay in the model's files, or null if all are in memory.</summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    ExpertStorageStatistics? ReadExpertStorage();
}
