namespace MoeOffload.Measurement.Benches;

/// <summary>Provides a server for each placement: all at once if there is enough memory, and otherwise one after the other.</summary>
/// <param name="serving">Starts the servers.</param>
/// <param name="path">The model's file.</param>
/// <param name="context">Each server's context.</param>
/// <param name="together">Whether there is enough memory for all.</param>
internal sealed class BenchServers(IModelServing serving, string path, ContextOptions context, bool together) : IAsyncDisposable
{
    private readonly Dictionary<BenchPlacement, BenchServer> _servers = [];

    /// <summary>Gets the server of a placement.</summary>
    /// <param name="placement">The placement.</param>
    /// <param name="warmUp">Sends a request to a server that was just loaded, because its first request is slower.</param>
    /// <param name="cancellationToken">Ends the load.</param>
    public async Task<BenchServer> GetAsync(BenchPlacement placement, Func<BenchServer, Task> warmUp, CancellationToken cancellationToken)
    {
        if (_servers.TryGetValue(placement, out BenchServer? server))
        {
            return server;
        }

        if (!together)
        {
            await DisposeAsync().ConfigureAwait(false);
        }

        server = new BenchServer(await serving.StartAsync(path, placement.Load, context, cancellationToken).ConfigureAwait(false));
        _servers[placement] = server;
        await warmUp(server).ConfigureAwait(false);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (BenchServer server in _servers.Values)
        {
            await server.DisposeAsync().ConfigureAwait(false);
        }

        _servers.Clear();
    }
}
