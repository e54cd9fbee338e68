using System.Globalization;
using Microsoft.Extensions.Hosting;

namespace MoeOffload.Server.Http;

/// <summary>Admits requests: as many as the server processes at once, and none once it stops.</summary>
internal sealed class RequestGate : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly RequestLimits _limits;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly CancellationTokenRegistration _registration;
    private int _active;

    public RequestGate(RequestLimits limits, IHostApplicationLifetime lifetime)
    {
        _limits = limits;
        _lifetime = lifetime;
        _registration = lifetime.ApplicationStopping.Register(() => _ending.CancelAfter(_limits.ShutdownGrace));
    }

    /// <summary>Gets whether the server is stopping.</summary>
    public bool IsStopping => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Gets what is cancelled when the server stops and the grace time is over.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Gets how many requests are being processed.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Admits a request, which calls <see cref="Leave"/> at its end.</summary>
    /// <exception cref="ApiException">It is not admitted.</exception>
    public void Enter()
    {
        if (IsStopping)
        {
            throw ApiException.Unavailable("server_shutting_down", "The server is shutting down and accepts no new requests: try again once it is back.");
        }

        if (Interlocked.Increment(ref _active) > _limits.MaxConcurrentRequests)
        {
            Leave();
            throw ApiException.Busy(string.Create(CultureInfo.InvariantCulture, $"The server already processes {_limits.MaxConcurrentRequests} requests: try again later."));
        }
    }

    public void Leave() => Interlocked.Decrement(ref _active);

    public void Dispose()
    {
        _registration.Dispose();
        _ending.Dispose();
    }
}
