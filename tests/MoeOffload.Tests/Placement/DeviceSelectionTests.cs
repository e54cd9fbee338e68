using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class DeviceSelectionTests
{
    private readonly TinyModel _tiny = TinyModels.Olmoe();
    private SecondDevice _device = null!;
    private SecondDevice _other = null!;

    private ModelOptions Both => new() { RpcServers = [_device.Server.Address, _other.Server.Address] };

    [OneTimeSetUp]
    public void StartDevices()
    {
        _device = SecondDevice.Start();
        _other = SecondDevice.Start();
    }

    [OneTimeTearDown]
    public void StopDevices()
    {
        _device.Dispose();
        _other.Dispose();
    }

    [Test]
    public void Devices_are_listed_with_kind_and_memory()
    {
        IReadOnlyList<DeviceInfo> devices = MoeModel.ListDevices(Both);

        DeviceInfo rpc = devices.Single(device => device.Name == _device.Name);
        rpc.Kind.Should().Be(DeviceKind.Rpc);
        rpc.Description.Should().Be(_device.Server.Address);
        rpc.TotalBytes.Should().BeGreaterThan(1 << 30);
        devices.Should().ContainSingle(device => device.Kind == DeviceKind.Cpu).Which.TotalBytes.Should().BeGreaterThan(1 << 30);
    }

    [Test]
    public void Named_devices_alone_are_used()
    {
        using MoeModel model = MoeModel.Load(_tiny.Path, Both with { Devices = [_other.Name.ToLowerInvariant()] });

        DevicesOf(model).Should().Equal(_other.Name);
    }

    [Test]
    public void No_device_is_the_CPU_alone()
    {
        using MoeModel model = MoeModel.Load(_tiny.Path, Both with { Devices = [] });

        model.Placement.Devices.Select(device => device.Device).Should().Equal(DeviceTotal.Host);
    }

    [Test]
    public void Only_servers_that_the_options_name_are_used()
    {
        using MoeModel model = MoeModel.Load(_tiny.Path, new ModelOptions { RpcServers = [_other.Server.Address] });

        DevicesOf(model).Should().Equal(_other.Name);
    }

    [Test]
    public void Shares_spread_layers_over_two_devices()
    {
        using (MoeModel model = MoeModel.Load(_tiny.Path, Both with { TensorSplit = [1, 1] }))
        {
            DevicesOf(model).Should().BeEquivalentTo(_device.Name, _other.Name);
            model.Placement.Tensors.Should().OnlyContain(tensor =>
                tensor.Name == "token_embd.weight" || (tensor.Device == _device.Name) == (tensor.Name.StartsWith("blk.0.") || tensor.Name.StartsWith("blk.1.")));
            model.Greedy(8).Should().Equal(OnCpu());
        }

        using (MoeModel model = MoeModel.Load(_tiny.Path, Both with { TensorSplit = [0, 2.5f] }))
        {
            DevicesOf(model).Should().Equal(_other.Name);
        }
    }

    [Test]
    public void Without_a_split_the_main_device_holds_everything()
    {
        using MoeModel model = MoeModel.Load(_tiny.Path, Both with { SplitMode = SplitMode.None, MainGpu = 1 });

        DevicesOf(model).Should().Equal(_other.Name);
        model.Greedy(8).Should().Equal(OnCpu());
    }

    [Test]
    public void A_main_device_that_is_not_there_is_refused() =>
        Refused(Both with { MainGpu = 2 }, "MainGpu is 2, but the model uses 2 devices. Use 0 to 1.");

    [Test]
    public void An_unknown_device_is_refused_with_those_that_are_known() =>
        Refused(Both with { Devices = ["CUDA7"] }, $"There is no device 'CUDA7'. Known devices: *CPU (*{_device.Name} ({_device.Server.Address})*");

    [Test]
    public void The_CPU_as_a_device_is_refused_with_what_to_do() =>
        Refused(Both with { Devices = ["CPU"] }, "Device 'CPU' cannot hold layers*GpuLayers = 0*");

    [Test]
    public void An_unknown_buffer_is_refused_with_rule_and_those_that_are_known() =>
        Refused(
            Both with { Placement = TensorPlacement.ExpertsToCpu().With("attn", "CUDA7") },
            $"placement rule 2, `attn`: there is no buffer 'CUDA7'. Known buffers: CPU, *{_device.Buffer}, {_other.Buffer}.");

    [Test]
    public void A_required_device_that_is_used_is_fine()
    {
        foreach (string required in new[] { _device.Name, _device.Name.ToLowerInvariant(), ModelOptions.AnyAccelerator })
        {
            using MoeModel model = MoeModel.Load(_tiny.Path, _device.Options with { RequireDevice = required });
            DevicesOf(model).Should().Equal(_device.Name);
        }
    }

    [Test]
    public void A_required_device_that_is_not_there_is_an_error()
    {
        Refused(_device.Options with { RequireDevice = "CUDA0" }, "Device 'CUDA0' is required, but the model would run without it. Known devices: *");
        Refused(new ModelOptions { Devices = [], RequireDevice = ModelOptions.AnyAccelerator }, "An accelerator is required*Known devices: *");
        Refused(_device.Options with { RequireDevice = _other.Name }, $"Device '{_other.Name}' is required, but the model would run without it*");
    }

    [TestCase(GgmlType.F16)]
    [TestCase(GgmlType.Q4_0)]
    public void A_required_device_that_holds_no_tensor_is_an_error(GgmlType weightType)
    {
        string path = TinyModels.Olmoe(new TinyModelOptions { WeightType = weightType }).Path;
        foreach (string required in new[] { _device.Name, ModelOptions.AnyAccelerator })
        {
            FluentActions.Invoking(() => MoeModel.Load(path, _device.Options with { RequireDevice = required, GpuLayers = 0 }))
                .Should().Throw<PlacementException>().WithMessage("*is required, but no tensor of the model is there*GpuLayers*");
        }
    }

    [Test]
    public void A_rule_without_a_tensor_is_a_warning_or_an_error()
    {
        using var log = new RecordedLog();
        ModelOptions options = _device.Options with
        {
            LoggerFactory = log,
            Placement = TensorPlacement.ExpertsToCpu().With("ffn_up_exps", "CPU").With("no_such_tensor", "CPU"),
        };

        using (MoeModel model = MoeModel.Load(_tiny.Path, options))
        {
            model.Placement.Rules.Select(rule => rule.TensorCount).Should().Equal(9, 0, 0);
        }

        log.Warnings.Should().Contain(line => line.Contains("Placement rule 2, `ffn_up_exps`"))
            .And.Contain(line => line.Contains("Placement rule 3, `no_such_tensor`, matches no tensor"));
        Refused(options with { UnmatchedRules = UnmatchedRuleAction.Error }, "placement rule 2, `ffn_up_exps`: matches no tensor*an earlier rule*");
    }

    [TestCase(@"blk\.(", "unbalanced parenthesis*")]
    [TestCase("(a*)*b[", "unbalanced bracket*")]
    [TestCase("*", "nothing to repeat before *")]
    [TestCase("a{2,1}", "a repetition whose maximum is less than its minimum*")]
    [TestCase(@"\", "a backslash with nothing after it*")]
    public void A_bad_pattern_is_refused_with_rule_and_place(string pattern, string reason) =>
        FluentActions.Invoking(() => TensorPlacement.Default.With("exps", "CPU").With(pattern, "CPU"))
            .Should().Throw<PlacementException>().WithMessage($"placement rule 2, `{pattern}`: {reason}");

    [TestCase("(([a-z_.]+)+)+[A-Z]", "the pattern needs too many steps*")]
    [TestCase("(((x{100}){100}){100}){100}", "the pattern is too large once its repetitions are written out")]
    [TestCase(@"(?i)attn", "*")]
    [TestCase("[[:foo:]]", "unknown collating element")]
    public void A_pattern_that_only_llama_cpp_refuses_is_refused_at_the_load(string pattern, string reason) =>
        Refused(
            _device.Options with { Placement = TensorPlacement.Default.With("exps", "CPU").With(pattern, "CPU") },
            $"placement rule 2, `{pattern}`: {reason}");

    private void Refused(ModelOptions options, string message) =>
        FluentActions.Invoking(() => MoeModel.Load(_tiny.Path, options)).Should().Throw<PlacementException>().WithMessage(message);

    private List<int> OnCpu()
    {
        using MoeModel model = MoeModel.Load(_tiny.Path, new ModelOptions { Devices = [] });
        return model.Greedy(8);
    }

    private static IEnumerable<string> DevicesOf(MoeModel model) =>
        model.Placement.Devices.Select(device => device.Device).Where(device => device != DeviceTotal.Host);
}
