using MoeOffload.Catalog;

namespace MoeOffload.Server;

/// <summary>Represents a model and what the server does with it, at one moment.</summary>
/// <param name="Entry">The model.</param>
/// <param name="State">Whether it can answer.</param>
/// <param name="Progress">How far the load is, from 0 to 1.</param>
/// <param name="ActiveRequests">How many requests use it, or wait for it.</param>
/// <param name="MemoryBytes">The bytes that it takes with its contexts, over all devices and system memory; 0 unless it is loaded.</param>
/// <param name="Error">Why the last load failed; null if it did not.</param>
public sealed record ModelStatus(
    CatalogEntry Entry, ModelState State, double Progress, int ActiveRequests, long MemoryBytes, string? Error);
