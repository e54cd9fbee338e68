using System.Diagnostics;
using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Streams show that they are alive while an answer waits in the queue or for its prompt.</summary>
[TestFixture]
public sealed class KeepAliveTests
{
    [TestCase("/v1/chat/completions", ": keep-alive")]
    [TestCase("/v1/completions", ": keep-alive")]
    [TestCase("/v1/responses", ": keep-alive")]
    [TestCase("/v1/messages", "event: ping")]
    [TestCase("/api/chat", "\"content\":\"\"")]
    [TestCase("/api/generate", "\"response\":\"\"")]
    public async Task Stream_that_waits_sends_its_headers_and_signs_of_life(string path, string sign)
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 32768, SequenceCount = 1 };
            options.Requests.KeepAliveInterval = TimeSpan.FromMilliseconds(200);
        });
        HttpResponseMessage running = await server.SendAsync("/v1/chat/completions", TestServer.Endless(stream: true));
        var watch = Stopwatch.StartNew();
        using HttpResponseMessage waiting = await server.SendAsync(path, Request(path));
        waiting.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await waiting.Content.ReadAsStreamAsync());
        int signs = 0;
        while (signs < 4 && await reader.ReadLineAsync() is { } line)
        {
            signs += line.Contains(sign, StringComparison.Ordinal) ? 1 : 0;
        }

        server.Statistics.QueuedCount.Should().Be(1, "the answer still waits");
        signs.Should().Be(4);
        watch.Elapsed.Should().BeGreaterThan(TimeSpan.FromMilliseconds(500), "they come at intervals");
        running.Dispose();
        (await reader.ReadToEndAsync()).Should().Contain(path.StartsWith("/api", StringComparison.Ordinal) ? "\"done\":true" : path == "/v1/messages" ? "message_stop" : path == "/v1/responses" ? "response.incomplete" : "[DONE]");
    }

    [Test]
    public async Task Progress_of_the_prompt_is_sent_on_request()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Models.Context = options.Models.Context with { ContextLength = 32768, SequenceCount = 1 });
        HttpResponseMessage running = await server.SendAsync("/v1/chat/completions", TestServer.Endless(stream: true));
        JsonObject request = Request("/v1/chat/completions");
        request["return_progress"] = true;
        using HttpResponseMessage waiting = await server.SendAsync("/v1/chat/completions", request);
        using var reader = new StreamReader(await waiting.Content.ReadAsStreamAsync());
        string data;
        do
        {
            data = (await reader.ReadLineAsync())!;
        }
        while (!data.StartsWith("data: ", StringComparison.Ordinal));
        JsonNode progress = JsonNode.Parse(data["data: ".Length..])!["prompt_progress"]!;
        ((int)progress["total"]!).Should().BePositive();
        ((int)progress["processed"]!).Should().BeLessThanOrEqualTo((int)progress["total"]!);
        running.Dispose();
    }

    private static JsonObject Request(string path)
    {
        var request = new JsonObject { ["model"] = TestServer.Demo, ["stream"] = true };
        switch (path)
        {
            case "/v1/completions" or "/api/generate":
                request["prompt"] = "Hi";
                request["options"] = new JsonObject { ["num_predict"] = 2 };
                break;
            case "/v1/responses":
                request["input"] = "Tell me a story.";
                request["max_output_tokens"] = 2;
                break;
            default:
                request["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Tell me a story." });
                request["max_tokens"] = 2;
                break;
        }

        return request;
    }
}
