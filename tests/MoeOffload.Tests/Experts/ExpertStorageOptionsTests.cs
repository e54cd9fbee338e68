using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Experts;

[TestFixture]
public sealed class ExpertStorageOptionsTests
{
    // A type that can be rearranged.
    private static readonly TinyModel s_file = TinyModels.Qwen3Moe(new TinyModelOptions { WeightType = GgmlType.Q4_0 });

    [Test]
    public void Limit_must_be_positive()
    {
        FluentActions.Invoking(() => ExpertStorage.Limit(0)).Should().Throw<ArgumentOutOfRangeException>();
        ExpertStorage.Limit(1 << 30).HostBytes.Should().Be(1 << 30);
    }

    [Test]
    public void Limit_below_what_a_token_needs_is_refused_with_the_least_one()
    {
        PlacementException refused = FluentActions.Invoking(() => Load(ExpertRuns.InMemory with { Experts = ExpertStorage.Limit(1000) }))
            .Should().Throw<PlacementException>().WithMessage("*1,000 bytes*take*bytes. Set at least*").Which;

        string number = refused.Message[(refused.Message.IndexOf(" take ", StringComparison.Ordinal) + 6)..];
        long least = long.Parse(number[..number.IndexOf(' ', StringComparison.Ordinal)].Replace(",", string.Empty, StringComparison.Ordinal));
        FluentActions.Invoking(() => Load(ExpertRuns.InMemory with { Experts = ExpertStorage.Limit(least - 1) })).Should().Throw<PlacementException>();
        using MoeModel model = Load(ExpertRuns.InMemory with { Experts = ExpertStorage.Limit(least) });
        model.Greedy(4).Should().HaveCount(4);
    }

    [Test]
    public void Model_without_experts_is_refused() => FluentActions
        .Invoking(() => MoeModel.Load(TinyModels.Llama().Path, new ModelOptions { Experts = ExpertStorage.Limit(1 << 20) }))
        .Should().Throw<PlacementException>().WithMessage("*has no routed experts*Leave it out*");

    [Test]
    public void Experts_that_rules_put_elsewhere_stay_there()
    {
        TensorPlacement all = TensorPlacement.Parse(@"exps=CPU_REPACK");
        FluentActions.Invoking(() => Load(new ModelOptions { Devices = [], Placement = all, Experts = ExpertStorage.Limit(1 << 24) }))
            .Should().Throw<PlacementException>().WithMessage("*other buffers than CPU*");

        TensorPlacement one = TensorPlacement.Parse(@"blk\.1\..*exps=CPU_REPACK,exps=CPU");
        using MoeModel model = Load(new ModelOptions { Devices = [], Placement = one, Experts = ExpertStorage.Limit(1 << 24) });
        model.Placement.Tensors.Where(tensor => tensor.Buffer == "Experts").Select(tensor => tensor.Layer).Distinct().Order().Should().Equal(0, 2);
        model.Greedy(4).Should().HaveCount(4);
        model.ReadExpertStorage()!.Layers.Select(layer => layer.Layer).Should().Equal(0, 2);
    }

    [TestCase(LoadMode.Mmap)]
    [TestCase(LoadMode.Mlock)]
    [TestCase(LoadMode.MmapMlock)]
    public void Modes_that_take_all_experts_are_refused(LoadMode mode) =>
        Refused(new ModelOptions { LoadMode = mode }, $"*LoadMode.{mode}*Use Auto, None or DirectIo*");

    [Test]
    public void Options_that_read_or_divide_all_experts_are_refused()
    {
        Refused(new ModelOptions { ValidateTensors = true }, "*ValidateTensors*");
        Refused(new ModelOptions { SplitMode = SplitMode.Tensor }, "*SplitMode.Tensor*");
    }

    [Test]
    public void Progress_rises_to_one()
    {
        List<float> values = [];

        using MoeModel model = MoeModel.Load(s_file.Path, ExpertRuns.InFile(s_file.Path, 50), new Progress(values));

        values.Should().BeInAscendingOrder().And.OnlyContain(value => value >= 0 && value <= 1).And.HaveCountGreaterThan(3);
        values[^1].Should().Be(1);
    }

    private static MoeModel Load(ModelOptions options) => MoeModel.Load(s_file.Path, options);

    private static void Refused(ModelOptions options, string message) => FluentActions
        .Invoking(() => Load(options with { Experts = ExpertStorage.Limit(1 << 24) }))
        .Should().Throw<ArgumentException>().WithMessage(message);

    private sealed class Progress(List<float> values) : IProgress<float>
    {
        public void Report(float value) => values.Add(value);
    }
}
