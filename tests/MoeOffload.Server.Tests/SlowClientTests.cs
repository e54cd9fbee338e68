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
        var texts = new JsonArray([.. Enumerable.Range(0, Texts).Select(_ => (JsonNode)"a")]);
        string body = new JsonObject { ["model"] = TestServer.Demo, ["input"] = texts }.ToJsonString();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        await socket.SendAsync(Encoding.UTF8.GetBytes(
            $"POST /v1/embeddings HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"));

        (byte[] answer, TimeSpan time) = await ReadAsync(socket, bytesPerSecond: 150_000);

        time.Should().BeGreaterThan(s_limit * 1.5, "an answer that fits into less time shows nothing");
        string text = Encoding.UTF8.GetString(answer);
        text.Should().StartWith("HTTP/1.1 200");
        JsonNode.Parse(text[text.IndexOf("\r\n\r\n", StringComparison.Ordinal)..])!["data"]!.AsArray().Should().HaveCount(Texts);
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
