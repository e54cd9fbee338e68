using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>A client that is slow loses nothing as long as it makes progress: limits are for its pauses.</summary>
[TestFixture]
public sealed class SlowClientTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);

    [Test]
    public async Task Long_answer_that_is_read_slowly_but_steadily_arrives_whole()
    {
        const int Texts = 300;
        await using TestServer server = await TestServer.StartAsync(options => options.Limits.WriteTimeout = s_limit);
        using Socket socket = await AskForEmbeddingsAsync(server, Texts);

        (byte[] answer, TimeSpan time) = await ReadAsync(socket, bytesPerSecond: 150_000);

        time.Should().BeGreaterThan(s_limit * 1.5, "an answer that fits into less time shows nothing");
        string text = Encoding.UTF8.GetString(answer);
        text.Should().StartWith("HTTP/1.1 200");
        JsonNode.Parse(text[text.IndexOf("\r\n\r\n", StringComparison.Ordinal)..])!["data"]!.AsArray().Should().HaveCount(Texts);
    }

    /// <summary>
    /// The system reports that a connection has room again only when a third of its buffer is free. If the buffer could grow to megabytes, a
    /// client that reads 25 kB/s would look for more than 30 s as if it read nothing.
    /// </summary>
    [Test]
    [Platform("Linux")]
    public async Task Answer_that_is_not_read_waits_in_a_small_buffer()
    {
        const int Largest = 512 * 1024;
        await using TestServer server = await TestServer.StartAsync(options => options.Limits.SendBufferBytes = new RequestLimits().SendBufferBytes);
        using Socket socket = await AskForEmbeddingsAsync(server, texts: 2000);
        await socket.ReceiveAsync(new byte[1]);

        int before;
        int waiting = 0;
        do
        {
            before = waiting;
            await Task.Delay(500);
            waiting = await CountUnsentAsync(server.Address.Port, ((IPEndPoint)socket.LocalEndPoint!).Port);
        }
        while (waiting == 0 || waiting != before);

        waiting.Should().BeInRange(1, Largest);
    }

    [Test]
    public async Task Body_that_is_sent_slowly_but_steadily_is_read_whole()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Limits.BodyTimeout = s_limit);
        await server.LoadedAsync();
        byte[] body = Encoding.UTF8.GetBytes(TestServer.Chat("Hi", maxTokens: 2).ToJsonString());
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n"));
        const int Parts = 12;
        for (int i = 0; i < Parts; i++)
        {
            await Task.Delay(s_limit / 8);
            await stream.WriteAsync(body.AsMemory((body.Length * i / Parts)..(body.Length * (i + 1) / Parts)));
        }

        using var reader = new StreamReader(stream);
        (await reader.ReadToEndAsync()).Should().StartWith("HTTP/1.1 200");
    }

    // With a receive buffer that is as small as possible, and keeps the rest of an answer at the server.
    private static async Task<Socket> AskForEmbeddingsAsync(TestServer server, int texts)
    {
        string body = new JsonObject { ["model"] = TestServer.Demo, ["input"] = new JsonArray([.. Enumerable.Repeat("a", texts)]) }.ToJsonString();
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        await socket.SendAsync(Encoding.UTF8.GetBytes(
            $"POST /v1/embeddings HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        return socket;
    }

    // The columns of the table are: number, local address, remote address, state, bytes that are not sent : bytes that are not read, in hexadecimal.
    private static async Task<int> CountUnsentAsync(int localPort, int remotePort)
    {
        string[] lines = await File.ReadAllLinesAsync("/proc/net/tcp");
        string[] row = lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Single(columns => columns[1].EndsWith($":{localPort:X4}", StringComparison.Ordinal) && columns[2].EndsWith($":{remotePort:X4}", StringComparison.Ordinal));
        return Convert.ToInt32(row[4].Split(':')[0], 16);
    }

    private static async Task<(byte[] Bytes, TimeSpan Time)> ReadAsync(Socket socket, double bytesPerSecond)
    {
        using var answer = new MemoryStream();
        byte[] buffer = new byte[8192];
        int count = await socket.ReceiveAsync(buffer);
        long start = Stopwatch.GetTimestamp();
        while (count > 0)
        {
            answer.Write(buffer, 0, count);
            TimeSpan ahead = TimeSpan.FromSeconds(answer.Length / bytesPerSecond) - Stopwatch.GetElapsedTime(start);
            if (ahead > TimeSpan.Zero)
            {
                await Task.Delay(ahead);
            }

            count = await socket.ReceiveAsync(buffer);
        }

        return (answer.ToArray(), Stopwatch.GetElapsedTime(start));
    }
}
