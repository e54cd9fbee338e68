using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MoeOffload.Server.Http;
using MoeOffload.Server.Security;

namespace MoeOffload.Server.Routing;

/// <summary>Handles the tasks that all endpoints have in common: API keys, origins, limits, errors, logs, metrics, and traces.</summary>
internal sealed class ApiPipeline(ApiServices services, ApiKeys keys, Origins origins)
{
    /// <summary>Handles a request, and reports an error to the client if it fails.</summary>
    public async Task InvokeAsync(HttpContext http, string route, ErrorFormat errors, Func<ApiRequest, Task> handler, ApiAccess access)
    {
        string id = RequestId.Of(http);
        http.Response.Headers[RequestId.Header] = id;
        using IDisposable? scope = services.Logger.BeginScope(new KeyValuePair<string, object?>[] { new("RequestId", id) });
        using Activity? activity = ServerActivities.Source.StartActivity(route, ActivityKind.Server);
        using var request = new ApiRequest(http, id, services, services.Gate.Ending);
        ApiException? failure = null;
        bool isIn = false;
        services.Metrics.Begin();
        try
        {
            origins.Check(http);
            if (access != ApiAccess.Open)
            {
                keys.Check(http);
            }

            if (access == ApiAccess.Work)
            {
                services.Gate.Enter();
                isIn = true;
            }

            await handler(request).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            failure = ApiErrors.Explain(error, request);
            failure = services.Options.TranslateMessage is { } translate ? failure.WithMessage(translate(failure.Message)) : failure;
            if (failure.Status == StatusCodes.Status500InternalServerError)
            {
                ApiLog.Failed(services.Logger, error, http.Request.Method, route, id);
            }

            await TellAsync(request, failure, errors).ConfigureAwait(false);
        }
        finally
        {
            if (isIn)
            {
                services.Gate.Leave();
            }

            if (request.Stream is { } stream)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            // Probes and scrapes arrive every few seconds and would bury other messages.
            Finish(request, route, failure, activity, access == ApiAccess.Work ? LogLevel.Information : LogLevel.Debug);
        }
    }

    /// <summary>Handles the preflight request of a browser.</summary>
    public Task PreflightAsync(HttpContext http) => origins.PreflightAsync(http);

    private static async Task TellAsync(ApiRequest request, ApiException failure, ErrorFormat errors)
    {
        HttpContext http = request.Http;
        if (failure.Status == ApiErrors.ClientGone)
        {
            http.Abort();
            return;
        }

        try
        {
            if (!http.Response.HasStarted)
            {
                http.Response.Headers.ContentType = default;
                SetHeaders(http.Response.Headers, failure.Status);
                await request.WriteAsync(errors.Body(failure, request.Id), failure.Status).ConfigureAwait(false);
            }
            else if (request.Stream is { } stream)
            {
                await stream.FailAsync(errors.StreamBody?.Invoke(failure, stream.Count) ?? errors.Body(failure, request.Id), errors).ConfigureAwait(false);
            }
            else
            {
                http.Abort();
            }
        }
        catch (ClientGoneException)
        {
            http.Abort();
        }
    }

    private static void SetHeaders(IHeaderDictionary headers, int status)
    {
        switch (status)
        {
            case StatusCodes.Status401Unauthorized:
                headers.WWWAuthenticate = "Bearer";
                break;
            case StatusCodes.Status429TooManyRequests:
            case StatusCodes.Status503ServiceUnavailable:
                headers.RetryAfter = "1";
                break;
            default:
                break;
        }
    }

    private void Finish(ApiRequest request, string route, ApiException? failure, Activity? activity, LogLevel level)
    {
        string method = request.Http.Request.Method;
        int status = failure?.Status ?? request.Http.Response.StatusCode;
        string code = failure?.Code ?? "ok";
        string model = request.Model ?? string.Empty;
        services.Metrics.End(route, model, status);
        ApiLog.Answered(
            services.Logger, level, method, route, status, code, request.Elapsed.TotalMilliseconds, model, request.PromptTokens, request.GeneratedTokens, request.Id);
        if (activity is not null)
        {
            activity.SetTag("http.request.method", method);
            activity.SetTag("http.route", route);
            activity.SetTag("http.response.status_code", status);
            activity.SetTag("gen_ai.request.model", model);
            activity.SetTag("moe.request.id", request.Id);
            if (failure is not null)
            {
                activity.SetStatus(ActivityStatusCode.Error, failure.Code);
            }
        }
    }
}
