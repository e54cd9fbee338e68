using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace MoeOffload.Server;

/// <summary>Lets requests in: as many as the server takes at once, and none any more once it stops.</summary>
internal sealed class RequestGate : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly MoeServerOptions _options;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly CancellationTokenRegistration _registration;
    private int _active;

    public RequestGate(IOptions<MoeServerOptions> options, IHostApplicationLifetime lifetime)
    {
        _options = options.Value;
        _lifetime = lifetime;
        _registration = lifetime.ApplicationStopping.Register(() => _ending.CancelAfter(_options.ShutdownGrace));
    }

    /// <summary>Whether the server stops.</summary>
    public bool IsStopping => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Cancelled when the server stops and the grace time is over.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Requests that are worked on.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Lets a request in, which calls <see cref="Leave"/> at its end.</summary>
    /// <exception cref="ApiException">It is not let in.</exception>
    public void Enter()
    {
        if (IsStopping)
        {
            throw ApiException.Unavailable("server_shutting_down", "The server is shutting down and takes no new requests: try again once it is back.");
        }

        if (Interlocked.Increment(ref _active) > _options.MaxConcurrentRequests)
        {
            Leave();
            throw ApiException.Busy($"The server already works on {_options.MaxConcurrentRequests} requests: try again later.");
        }
    }

    public void Leave() => Interlocked.Decrement(ref _active);

    public void Dispose()
    {
        _registration.Dispose();
        _ending.Dispose();
    }
}
