using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>What a host does on SIGTERM is to stop its application.</summary>
[TestFixture]
public sealed class ShutdownTests
{
    private const string Path = "/v1/chat/completions";

    [Test]
    public async Task Running_requests_finish_within_the_grace_time_and_new_ones_are_refused()
    {
        await using TestServer server = await Start(TimeSpan.FromSeconds(20));
        JsonObject chat = TestServer.Endless(stream: true);
        chat["max_tokens"] = 300;
        using HttpResponseMessage running = await server.SendAsync(Path, chat);
        Task stopping = server.App.StopAsync();

        Func<Task> ask = async () =>
        {
            using HttpResponseMessage response = await server.PostAsync(Path, TestServer.Chat("Hi"));
            response.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
            throw new HttpRequestException("refused");
        };
        await ask.Should().ThrowAsync<HttpRequestException>();
        string text = await running.Content.ReadAsStringAsync();
        await stopping;

        text.Should().Contain("\"finish_reason\":\"length\"").And.EndWith("data: [DONE]\n\n");
    }

    [Test]
    public async Task Running_requests_end_with_a_reason_when_the_grace_time_is_over()
    {
        await using TestServer server = await Start(TimeSpan.FromMilliseconds(500));
        using HttpResponseMessage stream = await server.SendAsync(Path, TestServer.Endless(stream: true));
        Task<HttpResponseMessage> whole = server.PostAsync(Path, TestServer.Endless(stream: false));
        await Wait.Until(() => server.Statistics.RunningCount == 2);

        long start = Stopwatch.GetTimestamp();
        Task stopping = server.App.StopAsync();
        string text = await stream.Content.ReadAsStringAsync();
        using HttpResponseMessage answer = await whole;
        await stopping;

        // Their content shows that the server did not wait for their end. How soon they end depends on the machine's load.
        Stopwatch.GetElapsedTime(start).Should().BeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(490));
        ((string)JsonNode.Parse(text.TrimEnd().Split("data: ")[^1])!["error"]!["code"]!).Should().Be("server_shutting_down");
        answer.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        ((string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!["code"]!).Should().Be("server_shutting_down");
    }

    private static async Task<TestServer> Start(TimeSpan grace)
    {
        TestServer server = await TestServer.StartAsync(options =>
        {
            options.Limits.ShutdownGrace = grace;
            options.Models.Context = options.Models.Context with { ContextLength = 32768 };
        });
        return await server.LoadedAsync();
    }
}
