using System.Net;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace MoeOffload.Server;

/// <summary>
/// Which web pages may ask. A browser lets any page send requests to this machine, so those of pages elsewhere are refused, and, where
/// there is no key, those under a name that only now points to this machine.
/// </summary>
internal sealed class Origins
{
    private readonly ICorsService _cors;
    private readonly CorsPolicy? _policy;
    private readonly bool _checksHost;

    public Origins(IOptions<MoeServerOptions> options, ICorsService cors, ApiKeys keys)
    {
        _cors = cors;
        _checksHost = !keys.AreRequired && !options.Value.AllowRemoteWithoutKey;
        IReadOnlyList<string> origins = options.Value.CorsOrigins;
        if (origins.Count > 0)
        {
            _policy = new CorsPolicyBuilder([.. origins]).AllowAnyMethod().AllowAnyHeader().WithExposedHeaders(RequestId.Header).Build();
        }
    }

    /// <summary>Refuses a request of a page that may not ask, and lets a page that may read the answer.</summary>
    /// <exception cref="ApiException">It may not.</exception>
    public void Check(HttpContext http)
    {
        HttpRequest request = http.Request;
        if (_checksHost && request.Host.HasValue && http.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local) && !IsLoopbackName(request.Host.Host))
        {
            throw Forbidden($"This server listens on loopback without a key, and '{request.Host.Host}' is no name of loopback: ask 127.0.0.1, or give the server an API key.");
        }

        string? origin = request.Headers.Origin;
        if (origin is null || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        if (_policy is null)
        {
            throw Forbidden("Web pages of other origins may not ask this server: allow the origin in its CORS origins.");
        }

        CorsResult result = _cors.EvaluatePolicy(http, _policy);
        if (!result.IsOriginAllowed)
        {
            throw Forbidden("Web pages of this origin may not ask this server: allow it in the server's CORS origins.");
        }

        _cors.ApplyResult(result, http.Response);
    }

    /// <summary>Answers a browser that asks whether a page may ask.</summary>
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
