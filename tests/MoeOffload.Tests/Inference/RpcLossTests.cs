using System.Runtime.CompilerServices;
using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>An RPC server that dies: llama.cpp would end the process, or wait for ever.</summary>
[TestFixture]
public sealed class RpcLossTests
{
    // Far more than it takes, since the machine may be busy; what hangs, hangs for ever.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private readonly TinyModel _tiny = TinyModels.Olmoe();
    private SecondDevice _device = null!;

    private static ContextOptions Endless => Generations.SmallContext with { ContextLength = 4096 };

    [SetUp]
    public void StartDevice() => _device = SecondDevice.Start();

    [TearDown]
    public void StopDevice() => _device.Dispose();

    [Test]
    public async Task A_server_lost_in_the_middle_of_a_generation_fails_it()
    {
        MoeModel model = _device.Load(_tiny, TensorPlacement.ExpertsToCpu());
        GenerationSession session = model.CreateSession(Endless);
        int read = 0;

        Func<Task> generating = async () =>
        {
            await foreach (GeneratedToken token in session.GenerateAsync("Once upon a time", SamplingOptions.Greedy))
            {
                if (++read == 3)
                {
                    _device.Server.Kill();
                }
            }
        };

        (await generating.Should().ThrowWithinAsync<InferenceException>(s_limit)).WithMessage($"RPC server {_device.Server.Address} was lost (*load it again*");
        read.Should().BeGreaterThanOrEqualTo(3);
        Within(session.Dispose);
        Within(model.Dispose);
        AnotherModelShouldWork();
    }

    [Test]
    public async Task A_server_lost_in_the_middle_of_embeddings_fails_them()
    {
        MoeModel model = _device.Load(_tiny, TensorPlacement.ExpertsToCpu());
        LoraAdapter adapter = model.LoadAdapter(TinyAdapters.Write(_tiny, TinyAdapters.IsAttention));
        Embedder embedder = model.CreateEmbedder(new EmbeddingOptions
        {
            Pooling = EmbeddingPooling.Mean,
            ContextLength = 512,
            Adapters = [new ScaledAdapter(adapter)],
            Threads = { Decode = 1 },
        });
        int[] text = new int[512];
        await embedder.EmbedAsync([text]);
        Task<IReadOnlyList<TextEmbedding>> running = embedder.EmbedAsync([.. Enumerable.Repeat(text, 1000)]);

        _device.Server.Kill();

        (await running.Awaiting(it => it).Should().ThrowWithinAsync<InferenceException>(s_limit)).WithMessage("*was lost*");
        Within(() => Failing(() => embedder.EmbedAsync([text]).GetAwaiter().GetResult()).Should().Throw<InferenceException>().WithMessage("*was lost*"));
        Within(() => Failing(() => model.LoadAdapter(adapter.Path)).Should().Throw<ModelLoadException>().WithMessage("*was lost*"));
        Within(() => Failing(() => model.CreateEmbedder()).Should().Throw<InferenceException>().WithMessage("*was lost*"));
        Within(embedder.Dispose);
        Within(adapter.Dispose);
        Within(model.Dispose);
        AnotherModelShouldWork();
    }

    [Test]
    public void A_server_lost_while_idle_fails_what_is_asked_of_it_next()
    {
        using MoeModel model = _device.Load(_tiny);
        using GenerationSession session = model.CreateSession(Endless);
        using GenerationSession other = model.CreateSession(Endless);
        session.Greedy(2).Should().HaveCount(2);

        _device.Server.Kill();

        Within(() => Failing(() => session.Greedy(2)).Should().Throw<InferenceException>().WithMessage("*was lost*"));
        Within(() => Failing(() => other.Greedy(2)).Should().Throw<InferenceException>().WithMessage("*was lost*"));
        Within(() => Failing(() => model.CreateSession(Endless)).Should().Throw<InferenceException>().WithMessage("*was lost*"));
        Within(() => MoeModel.ListDevices().Single(device => device.Name == _device.Name).FreeBytes.Should().Be(0));
        Within(() => Failing(() => _device.Load(_tiny)).Should().Throw<PlacementException>().WithMessage("*was lost earlier*another port or host name*"));
        AnotherModelShouldWork();
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_server_lost_before_a_session_is_made_fails_that(bool withSession)
    {
        using MoeModel model = _device.Load(_tiny);
        using GenerationSession? session = withSession ? model.CreateSession(Endless) : null;
        _device.Server.Kill();

        Within(() => Failing(() => model.CreateSession(Endless)).Should().Throw<InferenceException>().WithMessage("*was lost*"));
        AnotherModelShouldWork();
    }

    [Test]
    public void A_server_lost_before_its_devices_are_listed_is_listed_without_memory()
    {
        using MoeModel model = _device.Load(_tiny);
        _device.Server.Kill();

        Within(() => MoeModel.ListDevices().Single(device => device.Name == _device.Name).TotalBytes.Should().Be(0));
    }

    [Test]
    public void A_server_lost_during_a_load_fails_it()
    {
        var progress = new KillAt(0.3f, _device.Server);

        Within(() => Failing(() => MoeModel.Load(_tiny.Path, _device.Options, progress)).Should()
            .Throw<ModelLoadException>().WithMessage($"RPC server {_device.Server.Address} was lost while the model loaded: *"));
        AnotherModelShouldWork();
    }

    [Test]
    public void A_server_lost_before_an_estimate_or_a_second_load_fails_that()
    {
        using MoeModel model = _device.Load(_tiny);
        _device.Server.Kill();

        Within(() => Failing(() => MoeModel.EstimateMemory(_tiny.Path, _device.Options)).Should().Throw<MoeOffloadException>().WithMessage("*was lost*"));
        Within(() => Failing(() => _device.Load(_tiny)).Should().Throw<PlacementException>().WithMessage("*was lost earlier*"));
    }

    [Test]
    public async Task Disposing_after_the_loss_does_not_hang()
    {
        MoeModel model = _device.Load(_tiny);
        GenerationSession session = model.CreateSession(Endless);
        TokenStream stream = session.GenerateAsync("Once upon a time", SamplingOptions.Greedy);
        stream.TryRead(out _);

        _device.Server.Kill();

        await stream.DisposeAsync().AsTask().WaitAsync(s_limit);
        await session.DisposeAsync().AsTask().WaitAsync(s_limit);
        Within(model.Dispose);
        AnotherModelShouldWork();
    }

    [Test]
    public void Disposing_what_was_idle_when_the_server_was_lost_does_not_hang()
    {
        MoeModel model = _device.Load(_tiny);
        GenerationSession session = model.CreateSession(Endless);
        _device.Server.Kill();

        Within(session.Dispose);
        Within(model.Dispose);
    }

    [Test]
    public void Disposing_a_model_without_a_session_does_not_hang()
    {
        MoeModel model = _device.Load(_tiny);
        _device.Server.Kill();

        Within(model.Dispose);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Finalizers_after_the_loss_do_not_hang(bool withSession)
    {
        WeakReference model = LoadAndForget(withSession);
        _device.Server.Kill();

        Within(() =>
        {
            for (int i = 0; i < 100 && model.IsAlive; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Thread.Sleep(20);
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
        });

        model.IsAlive.Should().BeFalse();
        AnotherModelShouldWork();
    }

    [Test]
    public void Another_server_is_not_affected()
    {
        using SecondDevice other = SecondDevice.Start();
        using MoeModel lost = _device.Load(_tiny);
        using MoeModel alive = other.Load(_tiny);
        using GenerationSession doomed = lost.CreateSession(Endless);
        using GenerationSession session = alive.CreateSession(Endless);
        List<int> expected = session.Greedy(100);
        using TokenStream stream = session.GenerateAsync("Once upon a time", SamplingOptions.Greedy, 1000);
        stream.TryRead(out _);

        _device.Server.Kill();

        Within(() => Failing(() => doomed.Greedy(2)).Should().Throw<InferenceException>().WithMessage($"RPC server {_device.Server.Address} was lost*"));
        Within(() => stream.ToBlockingEnumerable().Count().Should().BeGreaterThan(250));
        Within(() => session.Greedy(100).Should().Equal(expected));
        Within(() =>
        {
            using MoeModel again = other.Load(_tiny);
            again.Greedy(4).Should().Equal(expected[..4]);
        });
    }

    [Test]
    public void A_server_that_came_back_serves_again_where_nothing_was_lost()
    {
        List<int> expected;
        using (MoeModel model = _device.Load(_tiny))
        {
            expected = model.Greedy(4);
        }

        _device.Server.Kill();
        using RpcServer restarted = RpcServer.Start(port: _device.Server.Port);

        using MoeModel again = _device.Load(_tiny);
        again.Greedy(4).Should().Equal(expected);
    }

    [Test]
    public void A_server_that_came_back_after_a_loss_serves_under_another_name()
    {
        using MoeModel model = _device.Load(_tiny);
        using GenerationSession session = model.CreateSession(Endless);
        List<int> expected = session.Greedy(4);
        _device.Server.Kill();
        using RpcServer restarted = RpcServer.Start(port: _device.Server.Port);

        Within(() => Failing(() => session.Greedy(4)).Should().Throw<InferenceException>().WithMessage("*was lost*"));
        Within(() => Failing(() => _device.Load(_tiny)).Should().Throw<PlacementException>().WithMessage("*was lost earlier*"));

        using MoeModel again = MoeModel.Load(_tiny.Path, new ModelOptions { RpcServers = [$"localhost:{restarted.Port}"], RequireDevice = ModelOptions.AnyAccelerator });
        again.Greedy(4).Should().Equal(expected);
    }

    private static Action Failing(Func<object?> call) => FluentActions.Invoking(() => { call(); });

    private static void Within(Action action)
    {
        Task task = Task.Run(action);
        Task.WaitAny([task], s_limit).Should().Be(0, "it must not hang");
        task.GetAwaiter().GetResult();
    }

    private void AnotherModelShouldWork()
    {
        using MoeModel model = MoeModel.Load(_tiny.Path, new ModelOptions { Devices = [] });
        model.Greedy(4).Should().HaveCount(4);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference LoadAndForget(bool withSession)
    {
        MoeModel model = _device.Load(_tiny);
        if (withSession)
        {
            model.CreateSession(Endless).Greedy(1);
        }

        return new WeakReference(model);
    }

    private sealed class KillAt(float at, RpcServer server) : IProgress<float>
    {
        public void Report(float value)
        {
            if (value >= at)
            {
                server.Kill();
            }
        }
    }
}
