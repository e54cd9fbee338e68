using FluentAssertions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MoeOffload.Embeddings;
using MoeOffload.Extensions.AI;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Hosting.Tests;

/// <summary>Models in a real host: when they are loaded, how they are used, and how they are unloaded.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HostedModelTests : IDisposable
{
    private static readonly ChatMessage[] s_question = [new(ChatRole.User, "Tell me a story about a dog.")];
    private static readonly ChatOptions s_greedy = new() { Temperature = 0, MaxOutputTokens = 8 };

    private readonly HostLog _log = new();

    [Test]
    public async Task Model_is_loaded_at_start_and_answers_through_the_injected_client()
    {
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", DemoModel.Path), ("MoeOffload:ContextLength", "512"), ("MoeOffload:CpuMoe", "true"));
        builder.Services.AddMoeOffload().AddSingleton<Storyteller>();
        using IHost host = builder.Build();
        await host.StartAsync();

        HostedModel hosted = host.Services.GetRequiredService<HostedModel>();
        hosted.State.Should().Be(HostedModelState.Loaded);
        hosted.Progress.Should().Be(1);
        MoeModel model = host.Services.GetRequiredService<MoeModel>();
        model.Placement.Rules.Should().ContainSingle("CpuMoe is a rule");
        GenerationSession session = host.Services.GetRequiredService<GenerationSession>();
        session.Should().BeSameAs(await hosted.GetSessionAsync()).And.Match<GenerationSession>(own => own.Model == model && own.ContextLength == 512);
        string answer = await host.Services.GetRequiredService<Storyteller>().TellAsync();
        using IChatClient direct = model.AsChatClient(new ContextOptions { ContextLength = 512 });
        answer.Should().NotBeEmpty().And.Be((await direct.GetResponseAsync(s_question, s_greedy)).Text);
        _log.Messages.Should().Contain($"Loading model tiny-moe from {DemoModel.Path}").And.Contain(message => message.StartsWith("Loaded model tiny-moe in "));

        await host.StopAsync();
        hosted.State.Should().Be(HostedModelState.NotLoaded);
        _log.Messages[^1].Should().Be("Unloaded model tiny-moe");
        await FluentActions.Awaiting(() => session.SaveStateAsync(Stream.Null)).Should().ThrowAsync<ObjectDisposedException>();
        await FluentActions.Awaiting(() => hosted.GetModelAsync()).Should().ThrowAsync<InvalidOperationException>().WithMessage("*'tiny-moe'*stopping*");
    }

    [Test]
    public async Task Placement_is_planned_with_the_rules_that_are_set()
    {
        using RpcServer server = RpcServer.Start();
        HostApplicationBuilder builder = Builder(
            ("MoeOffload:Model", DemoModel.Path), ("MoeOffload:ContextLength", "512"), ("MoeOffload:RpcServers", server.Address),
            ("MoeOffload:Fit", "true"), ("MoeOffload:FitMargin", "0"), ("MoeOffload:Placement", @"blk\.0\..*exps=CPU"));
        builder.Services.AddMoeOffload();
        using IHost host = builder.Build();
        await host.StartAsync();

        MoeModel model = host.Services.GetRequiredService<MoeModel>();
        model.Placement.Devices.Should().Contain(device => device.Device.StartsWith("RPC"), "what fits goes to the device");
        model.Placement.Tensors.Where(tensor => tensor.Name.StartsWith("blk.0.") && tensor.Name.Contains("exps")).Should()
            .NotBeEmpty().And.OnlyContain(tensor => tensor.IsHost, "the rule is kept");
        await host.StopAsync();
    }

    [Test]
    public async Task Model_that_does_not_fit_stops_the_start()
    {
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", DemoModel.Path), ("MoeOffload:Devices", "none"), ("MoeOffload:Fit", "true"), ("MoeOffload:FitMargin", "100TiB"));
        builder.Services.AddMoeOffload();
        using IHost host = builder.Build();
        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<MoeOffloadException>().WithMessage("*fit*");
    }

    [Test]
    public async Task Model_is_loaded_on_first_use_once_for_all_who_wait()
    {
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", DemoModel.Path), ("MoeOffload:Loading", "OnFirstUse"), ("MoeOffload:ContextLength", "1024"), ("MoeOffload:SequenceCount", "2"));
        builder.Services.AddMoeOffload();
        using IHost host = builder.Build();
        await host.StartAsync();
        IChatClient client = host.Services.GetRequiredService<IChatClient>();
        HostedModel hosted = client.GetService<HostedModel>()!;
        hosted.State.Should().Be(HostedModelState.NotLoaded);
        client.GetService<ChatClientMetadata>().Should().BeEquivalentTo(new { ProviderName = "moeoffload", DefaultModelId = "tiny-moe" });
        client.GetService<MoeModel>().Should().BeNull("it is not loaded");
        _log.Messages.Should().BeEmpty();

        ChatResponse[] answers = await Task.WhenAll(client.GetResponseAsync(s_question, s_greedy), client.GetResponseAsync(s_question, s_greedy));
        string streamed = (await client.GetStreamingResponseAsync(s_question, s_greedy).ToChatResponseAsync()).Text;

        answers.Should().OnlyContain(answer => answer.Text == streamed && answer.ModelId == "tiny-moe");
        _log.Messages.Count(message => message.StartsWith("Loading model tiny-moe from")).Should().Be(1);
        client.GetService<MoeModel>().Should().BeSameAs(await hosted.GetModelAsync());
        client.GetService<ChatClientMetadata>()!.DefaultModelId.Should().Be("tiny-moe");
        await host.StopAsync();
    }

    [Test]
    public async Task Models_with_keys_are_loaded_in_order_and_unloaded_in_the_opposite_one()
    {
        string tiny = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 }).Path;
        HostApplicationBuilder builder = Builder(
            ("MoeOffload:Models:stories:Model", DemoModel.Path),
            ("MoeOffload:Models:stories:ContextLength", "512"),
            ("MoeOffload:Models:vectors:Model", tiny),
            ("MoeOffload:Models:vectors:ModelId", "tiny"),
            ("MoeOffload:Models:vectors:Embeddings", "true"),
            ("MoeOffload:Models:vectors:EmbeddingContextLength", "256"),
            ("MoeOffload:Models:vectors:Generation", "false"));
        builder.Services.AddKeyedMoeOffload("stories").AddKeyedMoeOffload("vectors");
        using IHost host = builder.Build();
        await host.StartAsync();

        IChatClient client = host.Services.GetRequiredKeyedService<IChatClient>("stories");
        (await client.GetResponseAsync(s_question, s_greedy)).Text.Should().NotBeEmpty();
        host.Services.GetRequiredKeyedService<GenerationSession>("stories").Model.Should().BeSameAs(host.Services.GetRequiredKeyedService<MoeModel>("stories"));

        IEmbeddingGenerator<string, Embedding<float>> generator = host.Services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("vectors");
        Embedder embedder = generator.GetService<Embedder>()!;
        ReadOnlyMemory<float> vector = await generator.GenerateVectorAsync("To be");
        vector.ToArray().Should().Equal((await embedder.EmbedAsync("To be")).Vector.ToArray());
        generator.GetService<EmbeddingGeneratorMetadata>()!.DefaultModelId.Should().Be("tiny");

        IChatClient none = host.Services.GetRequiredKeyedService<IChatClient>("vectors");
        await FluentActions.Awaiting(() => none.GetResponseAsync(s_question)).Should().ThrowAsync<InvalidOperationException>().WithMessage("*Generation*");
        FluentActions.Invoking(() => host.Services.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>("stories"))
            .Should().Throw<InvalidOperationException>().WithMessage("*MoeOffload:Models:stories:Embeddings*");
        host.Services.GetService<IChatClient>().Should().BeNull("all models have keys");

        await host.StopAsync();
        _log.Messages.Where(message => message.StartsWith("Loaded") || message.StartsWith("Unloaded")).Select(message => message.Split(' ')[2])
            .Should().Equal("tiny-moe", "tiny", "tiny", "tiny-moe");
    }

    [Test]
    public async Task Load_in_progress_is_logged_and_ends_when_the_application_stops()
    {
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", DemoModel.Path));
        builder.Services.AddSingleton<TimeProvider>(new HurriedTime()).AddMoeOffload();
        using IHost host = builder.Build();
        IHostApplicationLifetime lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        _log.OnMessage = message =>
        {
            if (message.EndsWith('%'))
            {
                lifetime.StopApplication();
            }
        };

        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<OperationCanceledException>();

        HostedModel hosted = host.Services.GetRequiredService<HostedModel>();
        hosted.State.Should().Be(HostedModelState.NotLoaded);
        _log.Messages[^1].Should().Be("The load of model tiny-moe was canceled, because the application stops");
        _log.Messages.Should().ContainSingle(message => message.StartsWith("Loading model tiny-moe: "));
        await FluentActions.Awaiting(() => hosted.GetModelAsync()).Should().ThrowAsync<InvalidOperationException>();
    }

    [Test]
    public async Task Load_in_the_background_does_not_delay_the_start_and_a_wait_can_be_canceled()
    {
        using var hold = new ManualResetEventSlim();
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", DemoModel.Path), ("MoeOffload:Loading", "InBackground"), ("MoeOffload:ContextLength", "512"));
        builder.Services.AddMoeOffload();
        using IHost host = builder.Build();
        _log.OnMessage = message =>
        {
            if (message.StartsWith("Loading"))
            {
                hold.Wait();
            }
        };
        try
        {
            await host.StartAsync();
            HostedModel hosted = host.Services.GetRequiredService<HostedModel>();
            hosted.State.Should().Be(HostedModelState.Loading);
            using var canceled = new CancellationTokenSource();
            Task<ChatResponse> waiting = hosted.ChatClient.GetResponseAsync(s_question, s_greedy, canceled.Token);
            await canceled.CancelAsync();
            await FluentActions.Awaiting(() => waiting).Should().ThrowAsync<OperationCanceledException>();
            Task<ChatResponse> answer = hosted.ChatClient.GetResponseAsync(s_question, s_greedy);
            hold.Set();
            (await answer).Text.Should().NotBeEmpty("the load continued");
            await host.StopAsync();
        }
        finally
        {
            hold.Set();
        }
    }

    [Test]
    public async Task Model_that_cannot_be_loaded_stops_the_start()
    {
        using var directory = new TemporaryDirectory();
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", directory.Write("broken.gguf", "no model")));
        builder.Services.AddMoeOffload();
        using IHost host = builder.Build();

        await FluentActions.Awaiting(() => host.StartAsync()).Should().ThrowAsync<GgufFormatException>();

        HostedModel hosted = host.Services.GetRequiredService<HostedModel>();
        hosted.State.Should().Be(HostedModelState.Failed);
        hosted.Error.Should().BeOfType<GgufFormatException>();
        _log.Messages[^1].Should().Be("Model broken could not be loaded");
    }

    [Test]
    public async Task Load_that_failed_is_tried_again_by_the_next_use()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.Write("later.gguf", "no model");
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", path), ("MoeOffload:Loading", "OnFirstUse"), ("MoeOffload:ContextLength", "512"));
        builder.Services.AddMoeOffload();
        using IHost host = builder.Build();
        await host.StartAsync();
        IChatClient client = host.Services.GetRequiredService<IChatClient>();
        await FluentActions.Awaiting(() => client.GetResponseAsync(s_question, s_greedy)).Should().ThrowAsync<GgufFormatException>();

        File.Copy(DemoModel.Path, path, overwrite: true);

        (await client.GetResponseAsync(s_question, s_greedy)).ModelId.Should().Be("later");
        await host.StopAsync();
    }

    [Test]
    public async Task Host_that_is_disposed_without_a_stop_unloads()
    {
        HostApplicationBuilder builder = Builder(("MoeOffload:Model", DemoModel.Path), ("MoeOffload:ContextLength", "512"));
        builder.Services.AddMoeOffload();
        IHost host = builder.Build();
        await host.StartAsync();
        MoeModel model = host.Services.GetRequiredService<MoeModel>();
        host.Dispose();
        FluentActions.Invoking(() => model.CreateSession()).Should().Throw<ObjectDisposedException>();
        _log.Messages[^1].Should().Be("Unloaded model tiny-moe");
    }

    public void Dispose() => _log.Dispose();

    private HostApplicationBuilder Builder(params (string Key, string Value)[] settings) => Hosts.Builder(_log, settings);

    /// <summary>A service that takes the client in its constructor, before any model is loaded.</summary>
    private sealed class Storyteller(IChatClient client)
    {
        public async Task<string> TellAsync() => (await client.GetResponseAsync(s_question, s_greedy)).Text;
    }

    /// <summary>A time in which ten seconds pass between two looks at the clock.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Interlocked.Add(ref _seconds, 10);
    }
}
