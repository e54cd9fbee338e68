using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace MoeOffload.Hosting;

/// <summary>Provides extension methods that add health checks of models.</summary>
public static class MoeHealthCheckExtensions
{
    /// <summary>Adds a health check of a model that <c>AddMoeOffload</c> or <c>AddKeyedMoeOffload</c> added.</summary>
    /// <param name="builder">The health checks of the application.</param>
    /// <param name="serviceKey">The key of the model, or <see langword="null"/> for the model without a key.</param>
    /// <param name="name">The name of the check, or <see langword="null"/> to use <c>moeoffload</c> or <c>moeoffload:KEY</c>.</param>
    /// <param name="failureStatus">The status of a failure, or <see langword="null"/> to use <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">The tags of the check, or <see langword="null"/> if it has none.</param>
    /// <param name="minFreeBytes">
    /// The memory, in bytes, that must be free on each device of the model and in system memory. If it is less, the status is
    /// <see cref="HealthStatus.Degraded"/>.
    /// </param>
    /// <returns><paramref name="builder"/>.</returns>
    /// <remarks>
    /// The check fails if the model could not be loaded, if it is still being loaded although it is not loaded on first use, or if a device
    /// that holds a part of it is missing. The data of the result has the state, and the memory of the model and the free memory on each device.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minFreeBytes"/> is negative.</exception>
    public static IHealthChecksBuilder AddMoeOffload(
        this IHealthChecksBuilder builder,
        string? serviceKey = null,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        long minFreeBytes = 0)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentOutOfRangeException.ThrowIfNegative(minFreeBytes);
        return builder.Add(new HealthCheckRegistration(
            name ?? (serviceKey is null ? "moeoffload" : $"moeoffload:{serviceKey}"),
            provider => new ModelHealthCheck(HostedModels.Get(provider, serviceKey), minFreeBytes),
            failureStatus,
            tags));
    }
}
