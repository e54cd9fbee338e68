using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>The placement of tensors does not change the generated text. Both devices compute with the same code here.</summary>
[TestFixture]
public sealed class PlacementOutputTests
{
    // Rearranged weights may be summed up in another order. The largest logits are about 3.
    private const float RepackBound = 0.05f;

    private SecondDevice _device = null!;

    private static IEnumerable<TinyModel> Repacked =>
        TinyModels.Quantized.Where(model => model.Options.WeightType == GgmlType.Q4_0 && model.Shape.Experts > 0);

    [OneTimeSetUp]
    public void StartDevice() => _device = SecondDevice.Start();

    [OneTimeTearDown]
    public void StopDevice() => _device.Dispose();

    [TestCaseSource(typeof(TinyModels), nameof(TinyModels.All))]
    public void Greedy_tokens_are_the_same_wherever_tensors_lie(TinyModel tiny) => ShouldGenerateTheSame(tiny, repack: null);

    [TestCaseSource(typeof(TinyModels), nameof(TinyModels.Quantized))]
    public void Greedy_tokens_of_quantized_models_are_the_same_where_weights_stay_as_they_are(TinyModel tiny) =>
        ShouldGenerateTheSame(tiny, repack: false);

    [TestCaseSource(nameof(Repacked))]
    public void Rearranged_weights_change_logits_by_little(TinyModel tiny)
    {
        using MoeModel device = _device.Load(tiny);
        using MoeModel repacked = _device.Load(tiny, TensorPlacement.ExpertsToCpu());

        repacked.Placement.Tensors.Where(tensor => tensor.IsExpert && tensor.Type == GgmlType.Q4_0).Should()
            .OnlyContain(tensor => tensor.Buffer == "CPU_REPACK");
        float[] expected = device.Logits();
        float[] actual = repacked.Logits();

        float difference = expected.Zip(actual, (one, other) => Math.Abs(one - other)).Max();
        difference.Should().BeLessThan(RepackBound);
    }

    private void ShouldGenerateTheSame(TinyModel tiny, bool? repack)
    {
        (string Name, ModelOptions Options)[] placements =
        [
            ("the CPU alone", new ModelOptions { Devices = [] }),
            ("experts on the CPU", _device.Options with { Placement = TensorPlacement.ExpertsToCpu() }),
            ("experts of the first two layers on the CPU", _device.Options with { Placement = TensorPlacement.ExpertsToCpu(firstLayers: 2) }),
            ("rules of all kinds", _device.Options with
            {
                GpuLayers = 2,
                Placement = TensorPlacement.Default
                    .With(@"blk\.0\.(attn_q|ffn_up)", _device.Buffer).With(@"blk\.2\.attn|output\.weight", "CPU").With("ffn_down", _device.Buffer),
            }),
        ];
        using MoeModel onDevice = MoeModel.Load(tiny.Path, _device.Options with { Repack = repack });
        List<int> expected = onDevice.Greedy();
        expected.Should().HaveCount(24);

        foreach ((string name, ModelOptions options) in placements)
        {
            using MoeModel model = MoeModel.Load(tiny.Path, options with { Repack = repack });
            model.Greedy().Should().Equal(expected, "{0} computes the same", name);
        }
    }
}
