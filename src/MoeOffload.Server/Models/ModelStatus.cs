using MoeOffload.Catalog;

namespace MoeOffload.Server;

/// <summary>A model and what the server does with it, at one moment.</summary>
/// <param name="Entry">The model.</param>
/// <param name="State">Whether it can answer.</param>
/// <param name="Progress">How far a load is, from 0 to 1.</param>
/// <param name="ActiveRequests">Requests that use it, or wait for it.</param>
/// <param name="MemoryBytes">Bytes that it takes with its contexts, over all devices and system memory; 0 unless loaded.</param>
/// <param name="Error">Why the last load failed; null otherwise.</param>
public sealed record ModelStatus(
    CatalogEntry Entry, ModelState State, double Progress, int ActiveRequests, long MemoryBytes, string? Error);
