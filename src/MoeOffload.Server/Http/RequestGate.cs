using System.Globalization;
using Microsoft.Extensions.Hosting;

namespace MoeOffload.Server.Http;

/// <summary>Limits the number of concurrent requests, and rejects all requests after the server has begun to stop.</summary>
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

    /// <summary>Gets a value that indicates whether the server is stopping.</summary>
    public bool IsStopping => _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Gets the token that is canceled when the grace time of the stopping server ends.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Gets the number of requests that are being processed.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Admits a request, which must call <see cref="Leave"/> when it ends.</summary>
    /// <exception cref="ApiException">The request is rejected.</exception>
    public void Enter()
    {
        if (IsStopping)
        {
            throw ApiException.Unavailable("server_shutting_down", "The server is shutting down and accepts no new requests. Try again later.");
        }

        if (Interlocked.Increment(ref _active) > _limits.MaxConcurrentRequests)
        {
            Leave();
            throw ApiException.Busy(string.Create(CultureInfo.InvariantCulture, $"The server is already processing {_limits.MaxConcurrentRequests} requests. Try again later."));
        }
    }

    public void Leave() => Interlocked.Decrement(ref _active);

    public void Dispose()
    {
        _registration.Dispose();
        _ending.Dispose();
    }
}
