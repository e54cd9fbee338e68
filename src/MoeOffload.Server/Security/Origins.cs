using System.Net;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Security;

/// <summary>
/// Checks which web pages may use the server. A browser lets any page send requests to this machine, so those of pages elsewhere are
/// refused, and without a key also those under a name that somebody has made point to this machine.
/// </summary>
internal sealed class Origins
{
    private readonly ICorsService _cors;
    private readonly CorsPolicy? _policy;
    private readonly bool _checksHost;

    public Origins(AccessOptions options, ICorsService cors, ApiKeys keys)
    {
        _cors = cors;
        _checksHost = !keys.AreRequired && !options.AllowRemoteWithoutKey;
        IReadOnlyList<string> origins = options.CorsOrigins;
        if (origins.Count > 0)
        {
            _policy = new CorsPolicyBuilder([.. origins]).AllowAnyMethod().AllowAnyHeader().WithExposedHeaders(RequestId.Header).Build();
        }
    }

    /// <summary>Refuses a request of a page that may not use the server, and lets any other page read the answer.</summary>
    /// <exception cref="ApiException">It may not.</exception>
    public void Check(HttpContext http)
    {
        HttpRequest request = http.Request;
        if (_checksHost && request.Host.HasValue && http.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local) && !IsLoopbackName(request.Host.Host))
        {
            throw Forbidden($"This server listens on loopback without a key, and '{request.Host.Host}' is not a name of loopback: use 127.0.0.1, or give the server an API key.");
        }

        string? origin = request.Headers.Origin;
        if (origin is null || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        if (_policy is null)
        {
            throw Forbidden("Web pages of other origins may not use this server: add the origin to its CORS origins.");
        }

        CorsResult result = _cors.EvaluatePolicy(http, _policy);
        if (!result.IsOriginAllowed)
        {
            throw Forbidden("Web pages of this origin may not use this server: add it to the server's CORS origins.");
        }

        _cors.ApplyResult(result, http.Response);
    }

    /// <summary>Answers a browser that asks whether a page may use the server.</summary>
    public Task PreflightAsync(HttpContext http)
    {
        if (_policy is not null)
        {
            _cors.ApplyResult(_cors.EvaluatePolicy(http, _policy), http.Response);
        }

        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    private static ApiException Forbidden(string message) => new(403, "permission_error", "origin_not_allowed", message);
}
