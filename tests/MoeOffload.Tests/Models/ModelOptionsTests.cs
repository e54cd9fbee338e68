using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>Options of a load that mean nothing are refused by their name, before the file is opened.</summary>
[TestFixture]
public sealed class ModelOptionsTests
{
    public static IEnumerable<TestCaseData> Wrong()
    {
        ModelOptions options = new();
        yield return Case(nameof(ModelOptions.GpuLayers), options with { GpuLayers = -1 });
        yield return Case(nameof(ModelOptions.GpuLayers), options with { GpuLayers = int.MinValue });
        yield return Case(nameof(ModelOptions.MainGpu), options with { MainGpu = -1 });
        yield return Case(nameof(ModelOptions.LoadMode), options with { LoadMode = (LoadMode)99 });
        yield return Case(nameof(ModelOptions.SplitMode), options with { SplitMode = (SplitMode)(-1) });
        yield return Case(nameof(ModelOptions.UnmatchedRules), options with { UnmatchedRules = (UnmatchedRuleAction)2 });
        yield return Case(nameof(ModelOptions.TensorSplit), options with { TensorSplit = [1, float.NaN] });
        yield return Case(nameof(ModelOptions.TensorSplit), options with { TensorSplit = [1, -1] });
        yield return Case(nameof(ModelOptions.TensorSplit), options with { TensorSplit = [float.PositiveInfinity] });
        yield return Case(nameof(ModelOptions.TensorSplit), options with { TensorSplit = [0, 0] });
        yield return Case(nameof(ModelOptions.Devices), options with { Devices = [" "] });
        yield return Case(nameof(ModelOptions.Devices), options with { Devices = ["RPC0", "rpc0"] });
        yield return Case(nameof(ModelOptions.MetadataOverrides), Override(string.Empty, 1));
        yield return Case(nameof(ModelOptions.MetadataOverrides), Override(new string('k', 128), 1));
        yield return Case(nameof(ModelOptions.MetadataOverrides), Override("general.name", new string('ä', 64)));
        yield return Case(nameof(ModelOptions.MetadataOverrides), Override("general.name", "a\0b"));
        yield return Case(nameof(ModelOptions.MetadataOverrides), Override("general.name", default));

        static ModelOptions Override(string key, MetadataValue value) =>
            new() { MetadataOverrides = new Dictionary<string, MetadataValue> { [key] = value } };

        static TestCaseData Case(string name, ModelOptions options) => new(name, options);
    }

    [TestCaseSource(nameof(Wrong))]
    public void Load_with_an_option_out_of_range_names_it(string name, ModelOptions options) =>
        FluentActions.Invoking(() => MoeModel.Load("there is no such file", options))
            .Should().Throw<ArgumentException>().Which.ParamName.Should().Be(name);

    [TestCase(null)]
    [TestCase("")]
    public void Load_without_a_path_says_so(string? path) =>
        FluentActions.Invoking(() => MoeModel.Load(path!)).Should().Throw<ArgumentException>().Which.ParamName.Should().Be("path");

    [Test]
    public void Load_with_more_layers_on_devices_than_the_model_has_takes_all()
    {
        using MoeModel model = MoeModel.Load(SmallModel.File.Path, new ModelOptions { GpuLayers = int.MaxValue, TensorSplit = [1] });
        model.Info.LayerCount.Should().Be(SmallModel.File.Shape.Layers);
    }

    [Test]
    public void Load_with_a_main_device_beyond_the_last_says_how_many_there_are() =>
        FluentActions.Invoking(() => MoeModel.Load(SmallModel.File.Path, new ModelOptions { MainGpu = int.MaxValue }))
            .Should().Throw<PlacementException>().WithMessage("*MainGpu*2147483647*");

    [Test]
    public void Load_with_more_shares_than_devices_can_be_says_how_many_can() =>
        FluentActions.Invoking(() => MoeModel.Load(SmallModel.File.Path, new ModelOptions { TensorSplit = new float[1000].Append(1).ToArray() }))
            .Should().Throw<PlacementException>().WithMessage("*1001*");

    [Test]
    public void Load_with_an_override_that_would_crash_llama_cpp_is_refused_like_such_a_file()
    {
        var overrides = new Dictionary<string, MetadataValue> { ["qwen3moe.rope.dimension_count"] = 0L };
        FluentActions.Invoking(() => MoeModel.Load(SmallModel.File.Path, new ModelOptions { MetadataOverrides = overrides }))
            .Should().Throw<GgufFormatException>().WithMessage("*qwen3moe.rope.dimension_count*is 0*");
    }
}
