using MoeOffload.Catalog;

namespace MoeOffload.Server;

/// <summary>Represents the status of a model on the server.</summary>
/// <param name="Entry">The model's entry in the catalog.</param>
/// <param name="State">The state of the model.</param>
/// <param name="Progress">The progress of loading, from 0 to 1.</param>
/// <param name="ActiveRequests">The number of requests that use or wait for the model.</param>
/// <param name="MemoryBytes">The memory that the model and its contexts use, in bytes, over all devices and system memory, or 0 if it is not loaded.</param>
/// <param name="Error">The error message of the last load, or <see langword="null"/> if it succeeded.</param>
public sealed record ModelStatus(
    CatalogEntry Entry, ModelState State, double Progress, int ActiveRequests, long MemoryBytes, string? Error);
