using System.Net;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Security;

/// <summary>
/// Checks which web pages are allowed to use the server. A browser lets any page send requests to this machine, so requests from other origins
/// are rejected, except for pages of this machine and of desktop applications. Without an API key, requests with a host name that is not a loopback name are rejected too, because of DNS rebinding.
/// </summary>
internal sealed class Origins
{
    // The schemes of desktop applications, as in Ollama. No page from the network has them.
    private static readonly string[] s_applicationSchemes = ["app", "file", "tauri", "vscode-webview", "vscode-file"];

    private readonly ICorsService _cors;
    private readonly CorsPolicy _policy;
    private readonly bool _checksHost;

    public Origins(AccessOptions options, ICorsService cors, ApiKeys keys)
    {
        _cors = cors;
        _checksHost = !keys.AreRequired && !options.AllowRemoteWithoutKey;
        string[] origins = [.. options.CorsOrigins];
        CorsPolicyBuilder policy = origins.Contains("*")
            ? new CorsPolicyBuilder().AllowAnyOrigin()
            : new CorsPolicyBuilder().SetIsOriginAllowed(origin => IsLocal(origin) || origins.Contains(origin, StringComparer.OrdinalIgnoreCase));
        _policy = policy.AllowAnyMethod().AllowAnyHeader().WithExposedHeaders(RequestId.Header, ApiRequest.IgnoredHeader, ApiRequest.UnenforcedHeader).Build();
    }

    /// <summary>Rejects a request from a page that is not allowed to use the server, and lets any other page read the answer.</summary>
    /// <exception cref="ApiException">The page is not allowed to use the server.</exception>
    public void Check(HttpContext http)
    {
        HttpRequest request = http.Request;
        if (_checksHost && request.Host.HasValue && http.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local) && !IsLoopbackName(request.Host.Host))
        {
            throw Forbidden($"This server listens on loopback without a key, and '{request.Host.Host}' is not a loopback name. Use 127.0.0.1, or set an API key for the server.");
        }

        string? origin = request.Headers.Origin;
        if (origin is null || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        CorsResult result = _cors.EvaluatePolicy(http, _policy);
        if (!result.IsOriginAllowed)
        {
            throw Forbidden("Web pages of this origin are not allowed to use this server. Add it to the server's CORS origins.");
        }

        _cors.ApplyResult(result, http.Response);
    }

    /// <summary>Answers a preflight request, with which a browser asks whether a page is allowed to use the server.</summary>
    public Task PreflightAsync(HttpContext http)
    {
        _cors.ApplyResult(_cors.EvaluatePolicy(http, _policy), http.Response);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    // Pages of this machine, whose programs can use the server anyway.
    private static bool IsLocal(string origin) => Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
        && (s_applicationSchemes.Contains(uri.Scheme) || (uri.Scheme is "http" or "https" && IsLoopbackName(uri.Host)));

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    private static ApiException Forbidden(string message) => new(403, "permission_error", "origin_not_allowed", message);
}
