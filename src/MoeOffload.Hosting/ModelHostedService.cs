using Microsoft.Extensions.Hosting;
using MoeOffload.Hosting.Settings;

namespace MoeOffload.Hosting;

/// <summary>
/// Loads the models before the other services of a host start, one after the other in the order in which they were added, and unloads them in
/// the opposite order when the other services have stopped.
/// </summary>
internal sealed class ModelHostedService(IServiceProvider services, IEnumerable<ModelRegistration> registrations) : IHostedLifecycleService
{
    private readonly List<HostedModel> _models = [];
    private Task _background = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (ModelRegistration registration in registrations)
        {
            _models.Add(HostedModels.Get(services, registration.Key));
        }

        foreach (HostedModel model in _models.Where(model => model.Loading == ModelLoading.AtStart))
        {
            await LoadAsync(model, cancellationToken).ConfigureAwait(false);
        }

        _background = LoadInBackgroundAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _models.ForEach(model => model.CancelLoad());
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _background.WaitAsync(cancellationToken).ConfigureAwait(false);
        foreach (HostedModel model in Enumerable.Reverse(_models))
        {
            await model.UnloadAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // A start that is canceled, or that takes too long, does not leave a load behind.
    private static async Task LoadAsync(HostedModel model, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(static state => ((HostedModel)state!).CancelLoad(), model).ConfigureAwait(false))
        {
            await model.GetModelAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task LoadInBackgroundAsync()
    {
        foreach (HostedModel model in _models.Where(model => model.Loading == ModelLoading.InBackground))
        {
            // The log has the error, health checks report it, and the next request tries again.
            await ((Task)model.GetModelAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
