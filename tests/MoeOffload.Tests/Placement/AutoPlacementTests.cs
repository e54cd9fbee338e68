using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using MoeOffload.Models;
using MoeOffload.Placement;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>Placements that are planned when a model is loaded.</summary>
[TestFixture]
public sealed class AutoPlacementTests
{
    private static readonly ContextShape s_context = Generations.SmallContext.ToShape();

    [Test]
    public void A_model_is_loaded_as_it_was_planned()
    {
        using SecondDevice device = SecondDevice.Start();
        TinyModel tiny = TinyModels.Qwen3Moe();
        ModelOptions options = device.Options with { Placement = TensorPlacement.Auto(0, s_context).With(@"blk\.0\.ffn_up_exps", "CPU") };

        using MoeModel model = MoeModel.Load(tiny.Path, options);
        using GenerationSession session = model.CreateSession(Generations.SmallContext);

        model.Placement.Tensors.Should().OnlyContain(tensor =>
            tensor.IsHost == (tensor.Name.StartsWith("token_embd", StringComparison.Ordinal) || tensor.Name.StartsWith("blk.0.ffn_up_exps", StringComparison.Ordinal)));
        MoeModel.EstimateMemory(tiny.Path, options with { LoadMode = LoadMode.None }, Generations.SmallContext).Devices[0].Should().Be(session.Memory.Devices[0]);
    }

    [Test]
    public void A_machine_without_devices_loads_as_without_a_plan()
    {
        TinyModel tiny = TinyModels.Olmoe();
        var plain = new ModelOptions { Devices = [] };

        using MoeModel planned = MoeModel.Load(tiny.Path, plain with { Placement = TensorPlacement.Auto(0, s_context) });
        using MoeModel usual = MoeModel.Load(tiny.Path, plain);

        planned.Placement.Tensors.Should().Equal(usual.Placement.Tensors);
        planned.Greedy().Should().Equal(usual.Greedy());
    }

    [Test]
    public void A_model_that_does_not_fit_is_not_loaded_and_the_message_says_what_would()
    {
        var options = new ModelOptions { Devices = [], Placement = TensorPlacement.Auto(HostMemory.Total(), s_context) };

        Action load = () => MoeModel.Load(TinyModels.Olmoe().Path, options);

        load.Should().Throw<ModelLoadException>().WithMessage("*does not fit in memory with a context of 256 tokens*system memory is * MiB too small*");
    }

    [Test]
    public void Experts_in_files_with_a_limit_beyond_the_available_memory_are_refused_before_loading()
    {
        TinyModel tiny = TinyModels.Olmoe();
        long experts = GgufModelFiles.Open(tiny.Path).Tensors.Where(RoutedExperts.IsRouted).Sum(tensor => tensor.ByteCount);

        Action refused = () => ExpertMemoryCheck.Check("model.gguf", experts, experts, experts - 1);
        Action limited = () => ExpertMemoryCheck.Check("model.gguf", experts / 2, experts, experts - 1);

        refused.Should().Throw<ModelLoadException>().WithMessage("*ModelOptions.Experts allows*Set a lower limit*");
        limited.Should().NotThrow();
        using MoeModel loaded = MoeModel.Load(tiny.Path, new ModelOptions { Devices = [], Experts = ExpertStorage.Limit(long.MaxValue / 2) });
        loaded.ReadExpertStorage()!.TotalBytes.Should().Be(experts);
    }

    [Test]
    public void A_planned_placement_keeps_its_rules_and_differs_from_one_that_is_not_planned()
    {
        TensorPlacement auto = TensorPlacement.Auto(1 << 30);
        TensorPlacement rules = TensorPlacement.ExpertsToCpu(2);

        auto.IsAuto.Should().BeTrue();
        auto.Then(rules).IsAuto.Should().BeTrue();
        rules.Then(auto).Rules.Should().Equal(rules.Rules);
        rules.Then(auto).IsAuto.Should().BeTrue();
        auto.Then(rules).Should().NotBe(rules).And.Be(TensorPlacement.Auto(1 << 30).Then(rules));
        auto.Should().NotBe(TensorPlacement.Auto()).And.NotBe(TensorPlacement.Default);
        FluentActions.Invoking(() => TensorPlacement.Auto(-1)).Should().Throw<ArgumentOutOfRangeException>();
    }
}
