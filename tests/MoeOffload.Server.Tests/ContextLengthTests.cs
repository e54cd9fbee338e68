using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>The context length that requests ask for, with Ollama's <c>num_ctx</c>.</summary>
[TestFixture]
public sealed class ContextLengthTests
{
    private const string Chat = "/api/chat";
    private const string Ignored = "x-moe-ignored";

    // It was trained for 4096 tokens.
    private static readonly TinyModel s_model = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 });

    [TestCase(Chat)]
    [TestCase("/api/generate")]
    [TestCase("/v1/chat/completions")]
    public async Task Context_gets_the_length_that_a_request_asks_for_and_keeps_it(string path)
    {
        await using TestServer server = await TestServer.StartAsync(configure: null, s_model.Path);
        string text = string.Concat(Enumerable.Repeat("a cow and ", 200));
        using HttpResponseMessage tooLong = await server.PostAsync(path, Request(server, path, text, length: null));
        ((int)tooLong.StatusCode).Should().Be(400);
        using HttpResponseMessage fits = await server.PostAsync(path, Request(server, path, text, 2048));
        fits.IsSuccessStatusCode.Should().BeTrue(await fits.Content.ReadAsStringAsync());
        fits.Headers.Contains(Ignored).Should().BeFalse();
        (await ServedAsync(server)).Should().Be(2048);

        // A shorter context would lose what the longer one has cached.
        using HttpResponseMessage shorter = await server.PostAsync(path, Request(server, path, text, 1024));
        shorter.IsSuccessStatusCode.Should().BeTrue();
        (await ServedAsync(server)).Should().Be(2048);
        JsonNode shown = await server.AskAsync("/api/show", new JsonObject { ["model"] = server.Models.List()[0].Entry.Name });
        ((string)shown["parameters"]!).Should().Be("num_ctx 2048");
    }

    [Test]
    public async Task Answer_that_runs_keeps_the_context_that_it_began_with()
    {
        await using TestServer server = await TestServer.StartAsync(configure: null, s_model.Path);
        JsonObject endless = TestServer.Endless(stream: true);
        endless["model"] = server.Models.List()[0].Entry.Name;
        using HttpResponseMessage running = await server.SendAsync("/v1/chat/completions", endless);
        using var reader = new StreamReader(await running.Content.ReadAsStreamAsync());
        (await reader.ReadLineAsync()).Should().NotBeNull();
        using HttpResponseMessage longer = await server.PostAsync(Chat, Request(server, Chat, "Hi", 1024));
        longer.IsSuccessStatusCode.Should().BeTrue();
        (await reader.ReadToEndAsync()).Should().Contain("\"finish_reason\":\"length\"").And.EndWith("data: [DONE]\n\n");
        await Wait.Until(() => server.Models.GetLoaded().Single().Model.Sessions!.All.Count == 1);
    }

    [Test]
    public async Task Length_that_is_not_possible_is_said([Values("memory", "option", "training")] string limit)
    {
        const int Trained = 4096;
        await using TestServer server = await TestServer.StartAsync(
            options =>
            {
                options.Models.MemoryLimit = limit == "memory" ? Used() : null;
                options.Models.MaxContextLength = limit == "option" ? 512 : null;
            },
            s_model.Path);
        using HttpResponseMessage response = await server.PostAsync(Chat, Request(server, Chat, "Hi", limit == "training" ? Trained + 1 : Trained));
        response.IsSuccessStatusCode.Should().BeTrue(await response.Content.ReadAsStringAsync());
        response.Headers.GetValues(Ignored).Single().Should().Be("options.num_ctx");
        (await ServedAsync(server)).Should().Be(limit == "training" ? Trained : 512);
    }

    // What the model and its usual context use, and almost nothing for a longer one.
    private static long Used() => MoeModel.EstimateMemory(
        s_model.Path, context: new ModelHostOptions().Context with { ContextLength = 512, Threads = new ThreadOptions { Decode = 1, Prompt = 1 } }).Total.TotalBytes + 65_536;

    private static async Task<int> ServedAsync(TestServer server) =>
        (int)JsonNode.Parse(await server.Http.GetStringAsync("/api/ps"))!["models"]![0]!["context_length"]!;

    private static JsonObject Request(TestServer server, string path, string text, int? length)
    {
        JsonObject request = TestServer.Chat(text, maxTokens: 2);
        request["model"] = server.Models.List()[0].Entry.Name;
        if (path == "/v1/chat/completions")
        {
            request["num_ctx"] = length;
            return request;
        }

        request.Remove("max_tokens");
        request.Remove("temperature");
        request["options"] = new JsonObject { ["num_predict"] = 2, ["num_ctx"] = length };
        request["prompt"] = text;
        request["stream"] = false;
        if (path == "/api/generate")
        {
            request.Remove("messages");
        }
        else
        {
            request.Remove("prompt");
        }

        return request;
    }
}
