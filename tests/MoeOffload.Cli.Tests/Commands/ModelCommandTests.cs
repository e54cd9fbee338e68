using System.Globalization;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>The commands about models and the machine.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ModelCommandTests : IDisposable
{
    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void List_shows_models_by_name()
    {
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(_moe.Home["models"]).FullName, "demo.gguf"), DemoModel.Path);

        MoeResult table = _moe.Run("list");
        MoeResult names = _moe.Run("list", "-s");
        JsonNode json = _moe.Report("list");

        table.Output.Should().Contain("demo").And.Contain($"{new FileInfo(DemoModel.Path).Length / 1048576.0:0.0} MiB");
        names.Output.Trim().Should().Be("demo");
        json[0]!["bytes"]!.GetValue<long>().Should().Be(new FileInfo(DemoModel.Path).Length);
    }

    [Test]
    public void List_of_nothing_says_how_to_get_a_model()
    {
        MoeResult result = _moe.Run("list");

        result.Code.Should().Be(0);
        result.Errors.Should().Contain("moe pull");
    }

    [Test]
    public void Discover_says_what_models_are_and_can_leave_out_what_is_none()
    {
        _moe.Home.Write("models/broken.gguf", "GGUF");
        string directories = $"{Path.GetDirectoryName(DemoModel.Path)}";

        JsonArray all = _moe.Report("discover", "--model-dirs", directories).AsArray();
        JsonArray some = _moe.Report("discover", "--llm-only", "--model-dirs", directories).AsArray();

        all.Should().HaveCount(2);
        all[0]!["failure"]!.GetValue<string>().Should().NotBeEmpty();
        JsonNode demo = some.Should().ContainSingle().Subject!;
        demo["experts"]!.GetValue<int>().Should().Be(16);
        demo["parameters"]!.GetValue<long>().Should().BeGreaterThan(8_000_000);
    }

    [Test]
    public void Probe_loads_and_says_ok()
    {
        MoeResult result = _moe.Run("probe", "tiny-moe", "--model-dirs", Path.GetDirectoryName(DemoModel.Path)!, "-c", "256");

        result.Should().Be(new MoeResult(0, $"ok: loaded tiny-moe{Environment.NewLine}", string.Empty));
    }

    [Test]
    public void Probe_of_a_damaged_file_ends_with_2_and_one_line()
    {
        string path = _moe.Home.Write("broken.gguf", "GGUF and nothing more");

        MoeResult result = _moe.Run("probe", path);

        result.Code.Should().Be(2);
        result.Output.Should().BeEmpty();
        result.Errors.Trim().Should().StartWith("error: ").And.NotContain("\n");
    }

    [Test]
    public void Verbose_shows_where_an_error_comes_from()
    {
        string path = _moe.Home.Write("broken.gguf", "GGUF and nothing more");

        _moe.Run("probe", path, "--verbose").Errors.Should().Contain("   at MoeOffload.");
    }

    [Test]
    public void Unknown_model_ends_with_3_and_the_remedy()
    {
        MoeResult result = _moe.Run("probe", "org/unknown");

        result.Code.Should().Be(3);
        result.Errors.Should().Contain("moe pull org/unknown");
    }

    [Test]
    public void Required_device_that_is_missing_ends_with_2()
    {
        MoeResult result = _moe.Run("probe", DemoModel.Path, "--gpu-backend", "vulkan");

        result.Code.Should().Be(2);
        result.Errors.Should().Contain("--gpu-backend vulkan").And.Contain("gpu-info");
    }

    [Test]
    public void Probe_places_experts_in_system_memory_and_the_rest_on_a_device()
    {
        using var server = RpcServer.Start();

        JsonNode json = _moe.Report("probe", DemoModel.Path, "--rpc", server.Address, "--cpu-moe", "-c", "256", "-ngl", "99");

        JsonArray buffers = json["placement"]!["buffers"]!.AsArray();
        buffers.Where(buffer => buffer!["device"]!.GetValue<string>() == "host").Sum(buffer => buffer!["expert_tensors"]!.GetValue<int>()).Should().Be(18);
        buffers.Where(buffer => buffer!["device"]!.GetValue<string>() != "host").Should().NotBeEmpty()
            .And.OnlyContain(buffer => buffer!["expert_tensors"]!.GetValue<int>() == 0 && buffer["tensors"]!.GetValue<int>() > 0);
    }

    [Test]
    public void Inspect_tells_experts_and_tensors_by_group_without_loading()
    {
        _moe.Environment["MOE_NATIVE_DIR"] = _moe.Home["nowhere"];

        MoeResult text = _moe.Run("inspect", DemoModel.Path, "--metadata", "--tensors");
        JsonNode json = _moe.Report("inspect", DemoModel.Path);

        text.Output.Should().Contain("16 in a layer").And.Contain("blk.0.ffn_up_exps.weight").And.Contain("general.architecture");
        JsonArray groups = json["tensor_groups"]!.AsArray();
        groups.Select(group => group!["group"]!.GetValue<string>()).Should().Contain(["experts", "router", "attention", "norms", "embeddings"]).And.NotContain("other");
        groups.Sum(group => group!["parameters"]!.GetValue<long>()).Should().Be(json["parameters"]!.GetValue<long>());
    }

    [Test]
    public void Plan_is_the_librarys_estimate()
    {
        MemoryBreakdown expected = MoeModel.EstimateMemory(DemoModel.Path, context: new ContextOptions { ContextLength = 512, Threads = { Decode = 1 } });

        JsonNode json = _moe.Report("plan", DemoModel.Path, "-c", "512");

        json["fits"]!.GetValue<bool>().Should().BeTrue();
        json["memory"]!.AsArray().Sum(use => use!["total_bytes"]!.GetValue<long>()).Should().Be(expected.Total.TotalBytes);
        _moe.Run("plan", DemoModel.Path, "-c", "512").Output.Should().Contain("It fits.");

        TinyModel model = TinyModels.Olmoe();
        JsonNode seeing = _moe.Report("plan", model.Path, "-c", "512", "--mmproj", TinyProjectors.Gemma3(model));
        ((string?)seeing["projector"]).Should().Be(TinyProjectors.Gemma3(model));
        ((string?)_moe.Report("plan", model.Path, "-c", "512")["projector"]).Should().BeNull();
    }

    [Test]
    public void Plan_says_which_memory_is_short()
    {
        const int LeastBytesPerToken = 2048;
        long twice = 2 * MoeModel.ListDevices().Single(device => device.Kind == DeviceKind.Cpu).FreeBytes;
        string[] command = ["plan", DemoModel.Path, "-c", (twice / LeastBytesPerToken).ToString(CultureInfo.InvariantCulture)];

        _moe.Run(command).Output.Should().Contain("It does not fit into system memory").And.NotContain("--cpu-moe");
        _moe.Report(command)["fits"]!.GetValue<bool>().Should().BeFalse();
    }

    [Test]
    public void Gpu_info_names_devices_backends_and_where_they_are()
    {
        JsonNode json = _moe.Report("gpu-info");

        json["devices"]!.AsArray().Should().Contain(device => device!["kind"]!.GetValue<string>() == "CPU" && device["total_bytes"]!.GetValue<long>() > 0);
        json["backends"]!.AsArray().Should().Contain(backend => backend!["loaded"]!.GetValue<bool>() && File.Exists(backend["path"]!.GetValue<string>()));
        json["native_directory"]!.GetValue<string>().Should().Be(NativeBuild.Directory);
        _moe.Run("gpu-info").Output.Should().Contain("NVIDIA driver").And.Contain("CPU features: ");
    }

    [Test]
    public void Gpu_info_without_libraries_names_every_place_it_looked()
    {
        MoeResult result = _moe.Run("gpu-info", "--native-dir", _moe.Home["nowhere"]);

        result.Code.Should().Be(2);
        result.Errors.Should().Contain(_moe.Home["nowhere"]);
    }

    [Test]
    public void Bench_measures_runs_with_their_spread()
    {
        JsonNode json = _moe.Report("bench", DemoModel.Path, "--runs", "3", "-p", "40", "-n", "8");

        json["generated_tokens"]!.GetValue<int>().Should().Be(8);
        foreach (string figure in new[] { "prompt_tokens_per_second", "time_to_first_token_ms", "tokens_per_second" })
        {
            double least = json[figure]!["min"]!.GetValue<double>();
            least.Should().BePositive();
            json[figure]!["median"]!.GetValue<double>().Should().BeGreaterThanOrEqualTo(least);
            json[figure]!["max"]!.GetValue<double>().Should().BeGreaterThanOrEqualTo(json[figure]!["median"]!.GetValue<double>());
        }
    }
}
