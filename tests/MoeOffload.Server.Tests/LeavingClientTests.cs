using System.Text.Json.Nodes;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Tokens that are generated for clients that disconnect are counted like all others.</summary>
[TestFixture]
public sealed class LeavingClientTests
{
    [TestCase("/v1/chat/completions", true)]
    [TestCase("/v1/messages", true)]
    [TestCase("/v1/messages", false)]
    [TestCase("/api/chat", true)]
    [TestCase("/api/chat", false)]
    [TestCase("/api/generate", true)]
    [TestCase("/api/generate", false)]
    [TestCase("/api/generate?shimmy", true)]
    public async Task Tokens_of_a_client_that_leaves_are_counted(string path, bool stream)
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Models.Context = options.Models.Context with { ContextLength = 32768, CountExperts = true };
            options.Requests.Sampling = new SamplingOptions { IgnoreEndOfSequence = true };
        });
        await server.LoadedAsync();
        using var cancel = new CancellationTokenSource();
        Task<HttpResponseMessage> asking = server.SendAsync(path, Ask(path, stream), cancel.Token);

        // More than any of these prompts has.
        await Wait.Until(() => server.Models.GetLoaded().Single().Model.Session!.ExpertActivity!.GetTokenCount(0) > 100);
        if (stream)
        {
            (await asking).Dispose();
        }
        else
        {
            await cancel.CancelAsync();
            await asking.Awaiting(it => it).Should().ThrowAsync<OperationCanceledException>();
        }

        RecordedLog.LogLine? line = null;
        await Wait.Until(() => (line = server.Log.Lines.SingleOrDefault(entry => Equals(entry.Fields.GetValueOrDefault("Status"), 499))) is not null);
        line!.Fields["PromptTokens"].Should().BeOfType<int>().Which.Should().BePositive();
        line.Fields["GeneratedTokens"].Should().BeOfType<int>().Which.Should().BeGreaterThan(1);
    }

    [Test]
    public async Task Answer_that_is_refused_ends_the_others_of_its_request()
    {
        const int Context = 32768;
        await using TestServer server = await TestServer.StartAsync(
            options => options.Models.Context = options.Models.Context with { ContextLength = Context, SequenceCount = 1, QueueLimit = 0 });
        await server.LoadedAsync();
        JsonObject chat = TestServer.Endless(stream: false);
        chat["n"] = 3;
        (int status, _) = await server.FailAsync("/v1/chat/completions", chat);

        status.Should().Be(429);
        RecordedLog.LogLine? line = null;
        await Wait.Until(() => (line = server.Log.Lines.SingleOrDefault(entry => Equals(entry.Fields.GetValueOrDefault("Status"), 429))) is not null);
        line!.Fields["GeneratedTokens"].Should().BeOfType<int>().Which.Should().BeLessThan(Context / 2, "nobody wants the rest of an answer of which one is refused");
    }

    private static JsonObject Ask(string path, bool stream)
    {
        var ask = new JsonObject { ["model"] = TestServer.Demo, ["stream"] = stream };
        if (path == "/api/generate")
        {
            ask["prompt"] = "Tell me a story.";
            ask["keep_alive"] = "5m";
        }
        else if (path.EndsWith("shimmy", StringComparison.Ordinal))
        {
            ask["prompt"] = "Tell me a story.";
            ask["max_tokens"] = 30000;
        }
        else
        {
            ask["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Tell me a story." });
            if (path.StartsWith("/v1", StringComparison.Ordinal))
            {
                ask["max_tokens"] = 30000;
            }
        }

        return ask;
    }
}
