using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using Microsoft.Extensions.Logging;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class HostileRequestTests
{
    // The number of requests can be set, to let more of them run for hours.
    private const string CountVariable = "MOE_HOSTILE_REQUESTS";
    private const int UsualCount = 10_000;
    private const long Mebibyte = 1024 * 1024;

    private static readonly int s_count =
        int.TryParse(Environment.GetEnvironmentVariable(CountVariable), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? Math.Max(count, 1000) : UsualCount;

    private static int Requests => s_count * 86 / 100;

    private static int RawRequests => s_count * 8 / 100;

    private static int AbortedStreams => s_count * 2 / 100;

    private static int Sockets => s_count * 4 / 100;

    [Test]
    public async Task Hostile_requests_each_get_their_error_and_change_nothing()
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Limits.BodyTimeout = TimeSpan.FromSeconds(1);
            options.Limits.RequestTimeout = TimeSpan.FromSeconds(30);

            // What is right by chance need not be long.
            options.Limits.MaxTokens = 64;
            options.Models.MaxContextLength = 512;
            options.Requests.Strict = true;
        });
        server.Log.Least = LogLevel.Error;
        await server.LoadedAsync();
        await server.AskAsync("/v1/embeddings", new JsonObject { ["model"] = TestServer.Demo, ["input"] = "a" });
        string before = await AskAsync(server);
        var wrong = new ConcurrentQueue<string>();

        // The first run fills caches that are filled only once.
        await SendAsync(server, new HostileRequests(1), Requests / 10, wrong);
        await SendRawAsync(server, new HostileRequests(2), RawRequests / 10, wrong);
        await SendFramesAsync(server, new HostileRequests(5), Sockets / 10, wrong);
        await AbortAsync(server, AbortedStreams / 10);
        Memory first = Memory.Now();

        await SendAsync(server, new HostileRequests(3), Requests, wrong);
        await SendRawAsync(server, new HostileRequests(4), RawRequests, wrong);
        await SendFramesAsync(server, new HostileRequests(6), Sockets, wrong);
        await AbortAsync(server, AbortedStreams);

        wrong.Distinct().Take(10).Should().BeEmpty();
        server.Log.Lines.Where(line => line.Level >= LogLevel.Error).Select(line => line.Text).Take(10).Should().BeEmpty("nothing was the server's fault");
        (await AskAsync(server)).Should().Be(before);
        await Wait.Until(() => server.Statistics is { RunningCount: 0, QueuedCount: 0 } && server.Models.GetStatus(TestServer.Demo).ActiveRequests == 0);
        Memory last = Memory.Now();
        TestContext.Out.WriteLine($"managed {first.Managed / Mebibyte} to {last.Managed / Mebibyte} MiB, resident {first.Resident / Mebibyte} to {last.Resident / Mebibyte} MiB");
        (last.Managed - first.Managed).Should().BeLessThan(8 * Mebibyte);
        (last.Resident - first.Resident).Should().BeLessThan(100 * Mebibyte);
    }

    private static async Task<string> AskAsync(TestServer server) =>
        (string)(await server.AskAsync("/v1/chat/completions", TestServer.Chat("What is ice made of?")))["choices"]![0]!["message"]!["content"]!;

    private static async Task SendAsync(TestServer server, HostileRequests hostile, int count, ConcurrentQueue<string> wrong)
    {
        // They are made when they are sent: many of them take more memory than what is measured.
        IEnumerable<(string Path, byte[] Body, bool MayBeRight)> requests = Enumerable.Range(0, count).Select(_ =>
        {
            (string path, byte[] body) = hostile.Next(out bool mayBeRight);
            return (path, body, mayBeRight);
        });
        await Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (request, cancellationToken) =>
        {
            using HttpResponseMessage response = await server.Http.PostAsync(request.Path, new ByteArrayContent(request.Body), cancellationToken);
            string answer = await response.Content.ReadAsStringAsync(cancellationToken);
            int status = (int)response.StatusCode;
            if (!((status is >= 400 and < 500 && JsonNode.Parse(answer)!["error"] is not null) || (request.MayBeRight && (status == 200 || (status == 501 && request.Path == "/v1/rerank")))))
            {
                wrong.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{request.Path} {status} {Shorten(answer)} to {Shorten(Encoding.UTF8.GetString(request.Body))}"));
            }
        });
    }

    private static Task SendRawAsync(TestServer server, HostileRequests hostile, int count, ConcurrentQueue<string> wrong)
    {
        IEnumerable<byte[]> requests = Enumerable.Range(0, count).Select(_ => hostile.NextRaw());
        return Parallel.ForEachAsync(requests, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (request, cancellationToken) =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, server.Address.Port, cancellationToken);
            NetworkStream stream = client.GetStream();
            string status;
            try
            {
                await stream.WriteAsync(request, cancellationToken);
                using var reader = new StreamReader(stream);

                // Half a request gets no answer until it is whole, or the server's patience is over.
                status = await reader.ReadLineAsync(cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(1.5), cancellationToken) ?? "closed";
            }
            catch (Exception error) when (error is IOException or SocketException or TimeoutException)
            {
                status = "closed";
            }

            if (status != "closed" && !status.StartsWith("HTTP/1.1 4", StringComparison.Ordinal) && !status.StartsWith("HTTP/1.1 505", StringComparison.Ordinal))
            {
                wrong.Enqueue($"{status} to {Shorten(Encoding.Latin1.GetString(request))}");
            }
        });
    }

    // Each connection receives an error and is closed, or is abandoned in the middle of a frame.
    private static Task SendFramesAsync(TestServer server, HostileRequests hostile, int count, ConcurrentQueue<string> wrong)
    {
        IEnumerable<(int Index, byte[] Bytes)> frames = Enumerable.Range(0, count).Select(index => (index, hostile.NextFrame()));
        var address = new Uri($"ws://127.0.0.1:{server.Address.Port}/ws/generate");
        return Parallel.ForEachAsync(frames, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (frame, cancellationToken) =>
        {
            using var socket = new ClientWebSocket();
            await socket.ConnectAsync(address, cancellationToken);
            bool isWhole = frame.Index % 4 != 0;
            await socket.SendAsync(frame.Bytes, frame.Index % 3 == 0 ? WebSocketMessageType.Binary : WebSocketMessageType.Text, isWhole, cancellationToken);
            if (!isWhole)
            {
                socket.Abort();
                return;
            }

            string answer;
            try
            {
                byte[] buffer = new byte[65536];
                WebSocketReceiveResult received = await socket.ReceiveAsync(buffer, cancellationToken);
                answer = Encoding.UTF8.GetString(buffer, 0, received.Count);
            }
            catch (WebSocketException)
            {
                answer = string.Empty;
            }

            if (answer.Length > 0 && JsonNode.Parse(answer)!["error"] is null)
            {
                wrong.Enqueue($"{Shorten(answer)} to the frame {Shorten(Encoding.Latin1.GetString(frame.Bytes))}");
            }
        });
    }

    private static string Shorten(string text) => text.Length > 300 ? $"{text[..200]} … {text[^100..]}" : text;

    private static async Task AbortAsync(TestServer server, int count)
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (index, cancellationToken) =>
        {
            JsonObject endless = TestServer.Endless(stream: index % 2 == 0);
            using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(index % 7));
            try
            {
                using HttpResponseMessage response = await server.SendAsync("/v1/chat/completions", endless, cancel.Token);
            }
            catch (OperationCanceledException)
            {
                // It was left before it was answered.
            }
        });
    }

    private readonly record struct Memory(long Managed, long Resident)
    {
        public static Memory Now()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            long managed = GC.GetTotalMemory(forceFullCollection: true);
            using Process process = Process.GetCurrentProcess();
            return new Memory(managed, process.WorkingSet64);
        }
    }
}
