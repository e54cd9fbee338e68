using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using MoeOffload.Placement;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

/// <summary>Where tensors truly are after a load, on the CPU and a second device.</summary>
[TestFixture]
public sealed class DevicePlacementTests
{
    private SecondDevice _device = null!;

    private static IEnumerable<TinyModel> Models => [.. TinyModels.All, .. TinyModels.Quantized];

    [OneTimeSetUp]
    public void StartDevice() => _device = SecondDevice.Start();

    [OneTimeTearDown]
    public void StopDevice() => _device.Dispose();

    [TestCaseSource(nameof(Models))]
    public void All_layers_lie_on_the_device_and_the_embedding_in_system_memory(TinyModel tiny)
    {
        using MoeModel model = _device.Load(tiny);

        model.Placement.Tensors.Should().OnlyContain(tensor => tensor.IsHost == (tensor.Name == "token_embd.weight") && tensor.Rule == null);
        model.Placement.Tensors.Where(tensor => !tensor.IsHost).Should()
            .OnlyContain(tensor => tensor.Device == _device.Name && tensor.Buffer == _device.Buffer);
        BytesShouldBeThoseOf(tiny, model.Placement);
    }

    [TestCaseSource(nameof(Models))]
    public void Experts_lie_in_system_memory_and_all_else_on_the_device(TinyModel tiny)
    {
        using MoeModel model = _device.Load(tiny, TensorPlacement.ExpertsToCpu());

        model.Placement.Tensors.Should().OnlyContain(
            tensor => tensor.IsHost == (tensor.IsExpert || tensor.Name == "token_embd.weight") && tensor.Rule == (tensor.IsExpert ? 0 : null));
        RuleOutcome rule = model.Placement.Rules.Should().ContainSingle().Subject;
        rule.TensorCount.Should().Be(model.Placement.Tensors.Count(tensor => tensor.IsExpert));
        rule.Bytes.Should().Be(model.Placement.ExpertBytes);
        (rule.TensorCount > 0).Should().Be(model.Info.IsMixtureOfExperts);
        BytesShouldBeThoseOf(tiny, model.Placement);
    }

    [Test]
    public void Experts_of_the_first_layers_lie_in_system_memory([Values(1, 2, 3)] int layers)
    {
        using MoeModel model = _device.Load(TinyModels.GptOss(), TensorPlacement.ExpertsToCpu(firstLayers: layers));

        HostTensors(model).Should().BeEquivalentTo(
            Names(TinyModels.GptOss()).Where(name => ExpertTensors.IsExpert(name) && LayerOf(name) < layers).Append("token_embd.weight"));
        model.Placement.Rules[0].TensorCount.Should().Be(6 * layers);
    }

    [Test]
    public void The_first_of_two_overlapping_rules_wins()
    {
        var wide = new PlacementRule("ffn_(up|down)_exps", "CPU");
        var narrow = new PlacementRule(@"blk\.[01]\.ffn_up_exps", _device.Buffer);
        TinyModel tiny = TinyModels.Olmoe();

        using (MoeModel model = _device.Load(tiny, TensorPlacement.FromRules(narrow, wide)))
        {
            model.Placement.Rules.Select(rule => rule.TensorCount).Should().Equal(2, 4);
            HostTensors(model).Should().BeEquivalentTo(
                "token_embd.weight", "blk.0.ffn_down_exps.weight", "blk.1.ffn_down_exps.weight", "blk.2.ffn_down_exps.weight", "blk.2.ffn_up_exps.weight");
        }

        using (MoeModel model = _device.Load(tiny, TensorPlacement.FromRules(wide, narrow)))
        {
            model.Placement.Rules.Select(rule => rule.TensorCount).Should().Equal(6, 0);
            HostTensors(model).Should().Contain(["blk.0.ffn_up_exps.weight", "blk.1.ffn_up_exps.weight"]).And.HaveCount(7);
        }
    }

    [Test]
    public void The_notation_of_llama_cpp_places_as_the_rules_that_it_stands_for()
    {
        TinyModel tiny = TinyModels.PhiMoe();

        using MoeModel model = _device.Load(tiny, TensorPlacement.Parse($@"-ot ^output\.weight=CPU,token_embd={_device.Buffer} --n-cpu-moe 1"));

        HostTensors(model).Should().BeEquivalentTo(
            Names(tiny).Where(name => name == "output.weight" || (ExpertTensors.IsExpert(name) && LayerOf(name) == 0)));
        model.Placement.Rules.Select(rule => rule.TensorCount).Should().Equal(1, 1, 3);
        BytesShouldBeThoseOf(tiny, model.Placement);
    }

    [Test]
    public void A_rule_moves_tensors_to_a_device_that_holds_no_layers()
    {
        TinyModel tiny = TinyModels.Olmoe();
        ModelOptions options = _device.Options with
        {
            GpuLayers = 0,
            Placement = TensorPlacement.Default.With(@"blk\.1\.ffn_.*_exps", _device.Buffer),
        };

        using MoeModel model = MoeModel.Load(tiny.Path, options);

        model.Placement.Tensors.Where(tensor => tensor.Device == _device.Name).Select(tensor => tensor.Name)
            .Should().BeEquivalentTo("blk.1.ffn_up_exps.weight", "blk.1.ffn_down_exps.weight", "blk.1.ffn_gate_exps.weight");
    }

    [Test]
    public void The_last_layers_lie_on_the_device_and_the_output_counts_as_one([Values(0, 1, 2, 4, 5, 99)] int layers)
    {
        TinyModel tiny = TinyModels.GptOss();
        using MoeModel model = MoeModel.Load(tiny.Path, _device.Options with { GpuLayers = layers });

        int first = 4 + 1 - layers;
        HostTensors(model).Should().BeEquivalentTo(
            Names(tiny).Where(name => name == "token_embd.weight" || (LayerOf(name) ?? 4) < first));
        BytesShouldBeThoseOf(tiny, model.Placement);
    }

    [Test]
    public void Weights_are_rearranged_for_the_CPU_only_where_allowed()
    {
        TinyModel tiny = TinyModels.Qwen3Moe(new TinyModelOptions { WeightType = GgmlType.Q4_0 });
        ModelOptions options = _device.Options with { Placement = TensorPlacement.ExpertsToCpu() };

        using (MoeModel model = MoeModel.Load(tiny.Path, options with { Repack = true }))
        {
            BufferTotal repacked = model.Placement.Buffers.Single(buffer => buffer.Buffer == "CPU_REPACK");
            repacked.ExpertTensorCount.Should().Be(9);
            repacked.IsHost.Should().BeTrue("it is system memory, if in an order of its own");
            model.Placement.Devices.Select(device => device.Device).Should().Equal(_device.Name, DeviceTotal.Host);
        }

        using (MoeModel model = MoeModel.Load(tiny.Path, options with { Repack = false }))
        {
            model.Placement.Buffers.Should().NotContain(buffer => buffer.Buffer == "CPU_REPACK");
        }
    }

    private static void BytesShouldBeThoseOf(TinyModel tiny, PlacementReport placement)
    {
        GgufModelFiles file = GgufModelFiles.Open(tiny.Path);
        placement.TensorCount.Should().Be(file.Tensors.Count);
        placement.Devices.Sum(device => device.Bytes).Should().Be(file.Tensors.Sum(tensor => tensor.ByteCount));
        placement.Tensors.Should().OnlyContain(tensor => file.Tensors.Single(other => other.Name == tensor.Name).ByteCount == tensor.Bytes);
    }

    private static IEnumerable<string> Names(TinyModel tiny) => GgufModelFiles.Open(tiny.Path).Tensors.Select(tensor => tensor.Name);

    private static IEnumerable<string> HostTensors(MoeModel model) =>
        model.Placement.Tensors.Where(tensor => tensor.IsHost).Select(tensor => tensor.Name);

    private static int? LayerOf(string name) => name.StartsWith("blk.", StringComparison.Ordinal) ? name[4] - '0' : null;
}
