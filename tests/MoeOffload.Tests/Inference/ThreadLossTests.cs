using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>abort() on a thread of llama.cpp's own that is not the RPC client's.</summary>
[TestFixture]
public sealed class ThreadLossTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private readonly TinyModel _tiny = TinyModels.Olmoe();

    [Test]
    public async Task A_computation_that_hangs_afterwards_is_abandoned()
    {
        using SecondDevice device = SecondDevice.Start();
        using MoeModel model = device.Load(_tiny);
        await using GenerationSession session = model.CreateSession(Generations.SmallContext with { ContextLength = 4096 });
        await using TokenStream stream = session.GenerateAsync("Once upon a time", SamplingOptions.Greedy);
        stream.TryRead(out _);
        device.Server.Freeze(); // stands for a barrier that a missing thread never reaches

        await ForeignAbort.RaiseInHangingStepAsync();

        Func<Task> reading = () => Task.Run(() => stream.ToBlockingEnumerable().Count());
        (await reading.Should().ThrowWithinAsync<InferenceException>(s_limit)).WithMessage(
            "llama.cpp aborted in a thread of the computation, which cannot continue (test.c:1: made up). Create a new session.");
        FluentActions.Invoking(() => session.Greedy(1)).Should().Throw<InferenceException>();
    }

    [Test]
    public void Other_computations_go_on()
    {
        using MoeModel model = MoeModel.Load(_tiny.Path, new ModelOptions { Devices = [] });
        using GenerationSession session = model.CreateSession(Generations.SmallContext);
        List<int> expected = session.Greedy(50);

        ForeignAbort.Raise();

        session.Greedy(50).Should().Equal(expected);
    }
}
