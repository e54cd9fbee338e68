using Microsoft.Extensions.Diagnostics.HealthChecks;
using MoeOffload.Hosting.Models;

namespace MoeOffload.Hosting;

/// <summary>Checks that a model is loaded and can be used, that its devices are present, and that there is memory left.</summary>
internal sealed class ModelHealthCheck(HostedModel model, long minFreeBytes) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        HealthStatus failure = context.Registration.FailureStatus;
        HostedModelState state = model.State;
        var data = new Dictionary<string, object> { ["model"] = model.Id, ["state"] = state.ToString() };
        if (state == HostedModelState.Loaded && model.Parts is { } parts)
        {
            if ((parts.Session?.Failure ?? parts.Embedder?.Failure) is { } lost)
            {
                return new HealthCheckResult(failure, $"The model '{model.Id}' can no longer be used: {lost.Message}", lost, data);
            }

            return await CheckDevicesAsync(parts, failure, data, cancellationToken).ConfigureAwait(false);
        }

        data["progress"] = model.Progress;
        return state switch
        {
            HostedModelState.Failed => new HealthCheckResult(failure, $"The model '{model.Id}' could not be loaded: {model.Error?.Message}", model.Error, data),
            _ when model.Loading == ModelLoading.OnFirstUse => HealthCheckResult.Healthy($"The model '{model.Id}' is loaded when it is first used.", data),
            HostedModelState.Loading => new HealthCheckResult(failure, $"The model '{model.Id}' is being loaded.", exception: null, data),
            _ => new HealthCheckResult(failure, $"The model '{model.Id}' is not loaded.", exception: null, data),
        };
    }

    private async Task<HealthCheckResult> CheckDevicesAsync(
        ModelParts parts, HealthStatus failure, Dictionary<string, object> data, CancellationToken cancellationToken)
    {
        IReadOnlyList<DeviceInfo> devices = await MoeModel.ListDevicesAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        foreach (MemoryUse use in (parts.Session?.Memory ?? parts.Embedder?.Memory)?.Devices ?? [])
        {
            data[$"used:{use.Device}"] = use.TotalBytes;
        }

        string[] names = [.. parts.Model.Placement.Devices.Select(device => device.Device).Where(device => device != DeviceTotal.Host)];
        string[] missing = [.. names.Where(name => devices.All(device => device.Name != name))];
        DeviceInfo[] used = [.. devices.Where(device => device.TotalBytes > 0 && (device.Kind == DeviceKind.Cpu || names.Contains(device.Name)))];
        foreach (DeviceInfo device in used)
        {
            data[$"free:{device.Name}"] = device.FreeBytes;
        }

        string[] full = [.. used.Where(device => device.FreeBytes < minFreeBytes).Select(device => device.Name)];
        return missing.Length > 0
                ? new HealthCheckResult(failure, $"The model '{model.Id}' uses devices that are no longer present: {string.Join(", ", missing)}.", exception: null, data)
            : full.Length > 0
                ? new HealthCheckResult(HealthStatus.Degraded, $"Less than {minFreeBytes} bytes are free on {string.Join(", ", full)}.", exception: null, data)
            : HealthCheckResult.Healthy($"The model '{model.Id}' is loaded.", data);
    }
}
