using System.Net;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

[TestFixture]
public sealed class ModelHostTests
{
    private const string Path = "/v1/chat/completions";

    private static string Another => TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 }).Path;

    [Test]
    public async Task Requests_that_come_together_share_one_load()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Models.GetStatus(TestServer.Demo).State.Should().Be(ModelState.Unloaded);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.AskAsync(Path, TestServer.Chat("Hi", maxTokens: 2))));

        server.Log.Lines.Count(line => line.Text.StartsWith("Loading model", StringComparison.Ordinal)).Should().Be(1);
        ModelStatus status = server.Models.GetStatus(TestServer.Demo);
        status.State.Should().Be(ModelState.Loaded);
        status.ActiveRequests.Should().Be(0);
        status.MemoryBytes.Should().BeGreaterThan(status.Entry.Bytes / 2);
    }

    [Test]
    public async Task First_stream_is_told_how_far_the_load_is()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Requests.ProgressInterval = TimeSpan.FromMilliseconds(2));
        string[] first = await Lines(server);
        string[] second = await Lines(server);

        first.TakeWhile(line => line.StartsWith(": loading tiny-moe ", StringComparison.Ordinal) || line.Length == 0).Should().HaveCountGreaterThan(1);
        first.Should().Contain("data: [DONE]");
        second.Should().NotContain(line => line.StartsWith(':'), "it is loaded");

        static async Task<string[]> Lines(TestServer server)
        {
            JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
            chat["stream"] = true;
            using HttpResponseMessage response = await server.PostAsync(Path, chat);
            return (await response.Content.ReadAsStringAsync()).Split('\n');
        }
    }

    [Test]
    public async Task Several_models_stay_loaded_and_are_listed()
    {
        await using TestServer server = await TestServer.StartAsync(null, DemoModel.Path, Another);
        string other = server.Models.List().Single(status => status.Entry.Name != TestServer.Demo).Entry.Name;
        await server.AskAsync(Path, TestServer.Chat("Hi", maxTokens: 2));
        (await server.AskAsync("/v1/completions", new JsonObject { ["model"] = other, ["prompt"] = "a", ["max_tokens"] = 2 }))["model"]!.ToString().Should().Be(other);

        JsonNode[] listed = [.. JsonNode.Parse(await server.Http.GetStringAsync("/v1/models"))!["data"]!.AsArray().Select(model => model!)];
        listed.Should().HaveCount(2).And.OnlyContain(model => (string)model["state"]! == "loaded" && (string)model["object"]! == "model");
        JsonNode one = JsonNode.Parse(await server.Http.GetStringAsync($"/v1/models/{Uri.EscapeDataString(other)}"))!;
        ((string)one["id"]!).Should().Be(other);
    }

    [Test]
    public async Task Model_without_a_name_is_the_default_one()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Requests.DefaultModel = TestServer.Demo);
        JsonObject chat = TestServer.Chat("Hi", maxTokens: 2);
        chat.Remove("model");
        ((string)(await server.AskAsync(Path, chat))["model"]!).Should().Be(TestServer.Demo);
    }

    [Test]
    public async Task Wait_that_is_cancelled_leaves_the_load_to_others()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var cancel = new CancellationTokenSource();
        Task<ModelLease> gone = server.Models.AcquireAsync(TestServer.Demo, cancel.Token);
        Task<ModelLease> waits = server.Models.AcquireAsync(TestServer.Demo);
        await cancel.CancelAsync();

        await gone.Awaiting(it => it).Should().ThrowAsync<OperationCanceledException>();
        using ModelLease lease = await waits;
        lease.Session.SequenceCount.Should().Be(4);
        server.Models.GetStatus(TestServer.Demo).ActiveRequests.Should().Be(1);
    }

    [Test]
    public async Task Load_that_fails_says_why_and_the_next_request_tries_again()
    {
        string path = TinyModels.NewPath("damaged");
        byte[] bytes = await File.ReadAllBytesAsync(Another);
        await File.WriteAllBytesAsync(path, bytes[..(bytes.Length / 2)]);
        await using TestServer server = await TestServer.StartAsync(null, path);
        string name = server.Models.List().Single().Entry.Name;
        JsonObject request = new() { ["model"] = name, ["prompt"] = "a", ["max_tokens"] = 2 };

        (int status, JsonNode error) = await server.FailAsync("/v1/completions", request);
        status.Should().Be(502);
        ((string)error["code"]!).Should().Be("model_load_failed");
        server.Models.GetStatus(name).State.Should().Be(ModelState.Failed);
        server.Models.GetStatus(name).Error.Should().NotBeEmpty();

        await File.WriteAllBytesAsync(path, bytes);
        ((string)(await server.AskAsync("/v1/completions", request))["model"]!).Should().Be(name);
    }

    [Test]
    public async Task Idle_model_is_unloaded_and_comes_back()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Models.IdleUnload = TimeSpan.FromMilliseconds(200));
        using (await server.Models.AcquireAsync(TestServer.Demo))
        {
            await Task.Delay(500);
            server.Models.GetStatus(TestServer.Demo).State.Should().Be(ModelState.Loaded, "it is used");
        }

        await Wait.Until(() => server.Models.GetStatus(TestServer.Demo).State == ModelState.Unloaded);
        (await server.AskAsync(Path, TestServer.Chat("Hi", maxTokens: 2)))["choices"]!.AsArray().Should().ContainSingle();
    }

    [Test]
    public async Task Memory_limit_takes_the_model_that_was_idle_for_longest_and_none_in_use()
    {
        string second = Another;
        string third = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 4 }).Path;
        long both;
        await using (TestServer free = await TestServer.StartAsync(null, DemoModel.Path, second, third))
        {
            foreach (ModelStatus status in free.Models.List())
            {
                (await free.Models.AcquireAsync(status.Entry.Name)).Dispose();
            }

            both = free.Models.List().Sum(status => status.MemoryBytes) - free.Models.List().Min(status => status.MemoryBytes);
        }

        await using TestServer server = await TestServer.StartAsync(options => options.Models.MemoryLimit = both + (both / 100), DemoModel.Path, second, third);
        string[] names = [.. server.Models.List().Select(status => status.Entry.Name)];
        (await server.Models.AcquireAsync(names[0])).Dispose();
        (await server.Models.AcquireAsync(names[1])).Dispose();
        (await server.Models.AcquireAsync(names[0])).Dispose();
        using ModelLease lease = await server.Models.AcquireAsync(names[2]);

        server.Models.GetStatus(names[0]).State.Should().Be(ModelState.Loaded);
        server.Models.GetStatus(names[1]).State.Should().Be(ModelState.Unloaded, "it was idle for longest");
        server.Models.List().Sum(status => status.MemoryBytes).Should().BeLessThanOrEqualTo(both + (both / 100));

        using ModelLease first = await server.Models.AcquireAsync(names[0]);
        (int status2, JsonNode error) = await server.FailAsync("/v1/completions", new JsonObject { ["model"] = names[1], ["prompt"] = "a" });
        status2.Should().Be(503);
        ((string)error["code"]!).Should().Be("insufficient_memory");
        ((string)error["message"]!).Should().Contain("raise the memory limit");
    }

    [Test]
    public async Task Model_in_use_is_not_unloaded_on_demand()
    {
        await using TestServer server = await TestServer.StartAsync();
        using (await server.Models.AcquireAsync(TestServer.Demo))
        {
            await server.Models.Awaiting(it => it.UnloadAsync(TestServer.Demo)).Should().ThrowAsync<ModelInUseException>();
            using HttpResponseMessage refused = await server.Http.PostAsync($"/api/models/{TestServer.Demo}/unload", null);
            refused.StatusCode.Should().Be(HttpStatusCode.Conflict);
        }

        (await server.Models.UnloadAsync(TestServer.Demo)).Should().BeTrue();
        (await server.Models.UnloadAsync(TestServer.Demo)).Should().BeFalse();
    }

    [Test]
    public async Task Embedding_during_generation_counts_and_ends_with_the_model()
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.AskAsync(Path, TestServer.Chat("Hi", maxTokens: 2));
        long before = server.Models.GetStatus(TestServer.Demo).MemoryBytes;
        await server.AskAsync("/v1/embeddings", new JsonObject { ["model"] = TestServer.Demo, ["input"] = "a" });
        server.Models.GetStatus(TestServer.Demo).MemoryBytes.Should().BeGreaterThan(before);
        (await server.Models.UnloadAsync(TestServer.Demo)).Should().BeTrue();
    }
}
