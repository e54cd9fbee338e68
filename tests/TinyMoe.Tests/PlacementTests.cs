using FluentAssertions;
using MoeOffload;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace TinyMoe.Tests;

/// <summary>Wherever the experts lie, the model says the same.</summary>
[TestFixture]
public sealed class PlacementTests
{
    private static readonly string[] s_messages =
    [
        "Tell me a story about a brave fox named Tim.",
        "Tell me a story about Mia and a red kite.",
        "What is 7 + 6?",
        "Which city is the capital of France?",
        "Hello!",
    ];

    [Test]
    public void Answers_are_the_same_token_for_token_with_experts_anywhere()
    {
        using RpcServer server = RpcServer.Start();
        var onDevice = new ModelOptions { RpcServers = [server.Address], RequireDevice = ModelOptions.AnyAccelerator };
        (string Name, ModelOptions Options)[] placements =
        [
            ("the CPU alone", new ModelOptions { Devices = [] }),
            ("experts on the CPU", onDevice with { Placement = TensorPlacement.ExpertsToCpu() }),
            ("the first three layers' experts on the CPU", onDevice with { Placement = TensorPlacement.ExpertsToCpu(firstLayers: 3) }),
            ("every other layer's experts on the CPU", onDevice with { Placement = TensorPlacement.Default.With(@"blk\.[024]\.ffn_.*_exps", "CPU") }),
            ("one matrix of each expert on the CPU", onDevice with { Placement = TensorPlacement.Default.With("ffn_down_exps", "CPU") }),
        ];
        int[][] expected = AnswersOf(onDevice);
        expected[0].Should().HaveCountGreaterThan(60, "a story is long enough to differ");

        foreach (var (name, options) in placements)
        {
            AnswersOf(options).Should().BeEquivalentTo(expected, order => order.WithStrictOrdering(), "{0} computes the same", name);
        }
    }

    // Rearranged weights are summed up in another order, which rounds otherwise.
    private static int[][] AnswersOf(ModelOptions options)
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path, options with { Repack = false });
        using GenerationSession session = model.CreateSession(Answers.Context);
        return [.. s_messages.Select(message => session.Answer(message))];
    }
}
