using System.Diagnostics;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Server.Tests;

/// <summary>Model files that are moved, replaced or deleted while their models are in memory.</summary>
[TestFixture]
public sealed class ModelFileTests
{
    private const string Chat = "/v1/chat/completions";

    private string _directory = null!;

    private string First => Path.Combine(_directory, "tiny-moe.gguf");

    private string Second => Path.Combine(_directory, "moved", "tiny-moe.gguf");

    [SetUp]
    public void Copy()
    {
        _directory = Directory.CreateTempSubdirectory("moe-files-").FullName;
        Directory.CreateDirectory(Path.Combine(_directory, "moved"));
        File.Copy(DemoModel.Path, First);
    }

    [TearDown]
    public void Delete() => Directory.Delete(_directory, recursive: true);

    [Test]
    public async Task Model_whose_file_was_moved_is_loaded_again_and_the_first_copy_is_unloaded()
    {
        await using TestServer server = await TestServer.StartAsync(null, _directory);
        await server.AskAsync(Chat, TestServer.Chat("Hi", maxTokens: 2));
        File.Move(First, Second);
        server.Models.Catalog.Discover();
        await server.AskAsync(Chat, TestServer.Chat("Hi", maxTokens: 2));

        await Wait.Until(() => server.Models.GetLoaded().Count == 1);
        JsonNode[] loaded = [.. JsonNode.Parse(await server.Http.GetStringAsync("/api/ps"))!["models"]!.AsArray().Select(model => model!)];
        loaded.Should().ContainSingle().Which["name"]!.ToString().Should().Be(TestServer.Demo);
        server.Models.GetLoaded().Single().Status.Entry.Path.Should().Be(Second);
    }

    [Test]
    public async Task First_copy_that_is_in_use_is_listed_with_the_second_until_its_use_ends()
    {
        await using TestServer server = await TestServer.StartAsync(null, _directory);
        using (ModelLease lease = await server.Models.AcquireAsync(TestServer.Demo))
        {
            File.Move(First, Second);
            server.Models.Catalog.Discover();
            await server.AskAsync(Chat, TestServer.Chat("Hi", maxTokens: 2));

            JsonNode.Parse(await server.Http.GetStringAsync("/api/ps"))!["models"]!.AsArray().Should().HaveCount(2);
            (await lease.Session.GenerateAsync("a", maxTokens: 2).CountAsync()).Should().BePositive();
        }

        await Wait.Until(() => server.Models.GetLoaded().Count == 1);
    }

    [Test]
    public async Task File_that_was_replaced_is_loaded_again()
    {
        await using TestServer server = await TestServer.StartAsync(null, _directory);
        await server.AskAsync(Chat, TestServer.Chat("Hi", maxTokens: 2));
        File.Copy(TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 }).Path, First + ".new");
        File.Move(First + ".new", First, overwrite: true);

        using ModelLease lease = await server.Models.AcquireAsync(TestServer.Demo);
        lease.Model.Info.ExpertCount.Should().Be(8);
        await Wait.Until(() => server.Models.GetLoaded().Count == 1);
    }

    [Test]
    public async Task Model_whose_file_is_gone_can_be_unloaded()
    {
        await using TestServer server = await TestServer.StartAsync(null, _directory);
        await server.AskAsync(Chat, TestServer.Chat("Hi", maxTokens: 2));
        File.Delete(First);
        server.Models.Catalog.Discover();

        (await server.AskAsync($"/api/models/{TestServer.Demo}/unload", new JsonObject()))["status"]!.ToString().Should().Be("unloaded");
        server.Models.GetLoaded().Should().BeEmpty();
    }

    [Test]
    public async Task Model_that_is_to_leave_memory_does_not_wait_for_the_load_of_another()
    {
        string pipe = Path.Combine(_directory, "slow.gguf");
        using (Process make = Process.Start("mkfifo", [pipe]))
        {
            await make.WaitForExitAsync();
        }

        await using TestServer server = await TestServer.StartAsync(null, First, pipe);
        await server.LoadedAsync();
        Task<ModelLease> slow = server.Models.AcquireAsync("slow");
        try
        {
            await Wait.Until(() => server.Log.Lines.Any(line => line.Text.StartsWith("Loading model slow", StringComparison.Ordinal)));
            var ask = new JsonObject { ["model"] = TestServer.Demo, ["keep_alive"] = 0 };
            ((string?)(await server.AskAsync("/api/generate", ask).WaitAsync(TimeSpan.FromSeconds(20)))["done_reason"]).Should().Be("unload");

            server.Models.GetStatus(TestServer.Demo).State.Should().Be(ModelState.Unloaded);
            slow.IsCompleted.Should().BeFalse("its file has not answered yet");
        }
        finally
        {
            // Whoever reads a pipe waits for its other end, which now comes and ends.
            File.OpenHandle(pipe, FileMode.Open, FileAccess.Write).Dispose();
            await slow.Awaiting(it => it).Should().ThrowAsync<ModelLoadException>();
        }
    }
}
