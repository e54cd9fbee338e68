using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using MoeOffload.Server.Http;
using MoeOffload.Server.Ollama;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server.Shimmy;

/// <summary>
/// Handles shimmy's <c>GET /ws/generate</c>. The first frame is a request as for <c>/api/generate</c>. A text frame for each part of the
/// answer follows, and finally <c>{"done":true}</c> or <c>{"error":…}</c>.
/// </summary>
internal sealed class ShimmySocket
{
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromSeconds(5);

    // Enables WebSockets only for this path, without changing the application's own middleware.
    private readonly RequestDelegate _enable;

    private ShimmySocket(RequestDelegate enable) => _enable = enable;

    public static void Map(ApiRoutes routes)
    {
        IApplicationBuilder builder = routes.Endpoints.CreateApplicationBuilder();
        builder.UseWebSockets();
        builder.Run(_ => Task.CompletedTask);
        var socket = new ShimmySocket(builder.Build());
        routes.Get("/ws/generate", OllamaErrors.Format, socket.HandleAsync, ApiAccess.Work);
    }

    private async Task HandleAsync(ApiRequest request)
    {
        await _enable(request.Http).ConfigureAwait(false);
        if (!request.Http.WebSockets.IsWebSocketRequest)
        {
            throw new ApiException(426, "invalid_request_error", "upgrade_required", "This endpoint requires a WebSocket connection. Connect with a WebSocket client, or send a POST request to /api/generate.");
        }

        using WebSocket socket = await request.Http.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(request.Cancellation);
        Task? watching = null;
        ApiException? failure = null;
        try
        {
            using JsonDocument document = await ReceiveAsync(request, socket).ConfigureAwait(false);
            ShimmyPrompt prompt = ShimmyPrompt.Read(new JsonFields(document.RootElement, new FieldLedger()), request);
            watching = WatchAsync(socket, gone);
            await prompt.AnswerAsync(request, piece => SendAsync(request, socket, piece), gone.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (socket.State != WebSocketState.Open)
            {
                // The client closed the socket or is gone.
                request.Http.Abort();
                return;
            }

            failure = ApiErrors.Explain(error, request);
        }

        await EndAsync(request, socket, watching, failure).ConfigureAwait(false);
    }

    private static async Task EndAsync(ApiRequest request, WebSocket socket, Task? watching, ApiException? failure)
    {
        string text = failure is null
            ? JsonSerializer.Serialize(new DoneMessage(true), ShimmyJson.Default.DoneMessage)
            : JsonSerializer.Serialize(new OllamaError(failure.Message), OllamaJson.Default.OllamaError);
        WebSocketCloseStatus status = failure is null ? WebSocketCloseStatus.NormalClosure
            : failure.Status >= 500 ? WebSocketCloseStatus.InternalServerError
            : WebSocketCloseStatus.PolicyViolation;
        try
        {
            await SendAsync(request, socket, text).ConfigureAwait(false);
            await socket.CloseOutputAsync(status, null, CancellationToken.None).WaitAsync(s_closeLimit, request.Cancellation).ConfigureAwait(false);

            // Wait for the client's close message. Otherwise, it would see a broken connection.
            await (watching ?? WatchAsync(socket, null)).WaitAsync(s_closeLimit, request.Cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or TimeoutException)
        {
            request.Http.Abort();
        }

        if (failure?.Status == 500)
        {
            throw failure;
        }
    }

    private static async Task<JsonDocument> ReceiveAsync(ApiRequest request, WebSocket socket)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(request.Cancellation);
        using var text = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            limit.CancelAfter(request.Limits.BodyTimeout);
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token).ConfigureAwait(false);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                throw new OperationCanceledException("The client closed the connection before it sent a request.");
            }

            if (text.Length + part.Count > request.Limits.MaxBodyBytes)
            {
                throw new ApiException(413, "invalid_request_error", "request_too_large", $"The request is larger than the {request.Limits.MaxBodyBytes} bytes that the server accepts.");
            }

            text.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                return JsonBody.Parse(text.GetBuffer().AsMemory(0, (int)text.Length));
            }
        }
    }

    // A socket reports that the client is gone only while it is being read.
    private static async Task WatchAsync(WebSocket socket, CancellationTokenSource? gone)
    {
        byte[] buffer = new byte[1024];
        try
        {
            while (socket.State is WebSocketState.Open or WebSocketState.CloseSent)
            {
                await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The client disconnected without a close message.
        }

        try
        {
            await (gone?.CancelAsync() ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The request has already ended.
        }
    }

    private static async Task SendAsync(ApiRequest request, WebSocket socket, string text)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(request.Http.RequestAborted);
        limit.CancelAfter(request.Limits.WriteTimeout);
        await socket.SendAsync(Encoding.UTF8.GetBytes(text).AsMemory(), WebSocketMessageType.Text, true, limit.Token).ConfigureAwait(false);
    }
}
