using System.Globalization;
using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary><c>moe fit</c>, on this machine and on others.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FitCommandTests : IDisposable
{
    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Fit_is_the_librarys_plan_and_its_options_lead_to_the_same_memory()
    {
        PlacementPlan expected = MoeModel.Fit(DemoModel.Path, context: new ContextOptions { ContextLength = 512 });

        JsonNode json = _moe.Report("fit", DemoModel.Path, "-c", "512");
        JsonNode planned = _moe.Report(["plan", DemoModel.Path, "-c", "512", .. json["options"]!.GetValue<string>().Split(' ')]);

        json["fits"]!.GetValue<bool>().Should().BeTrue();
        json["options"]!.GetValue<string>().Should().Be(expected.ToString());
        long Sum(JsonNode report, string kind) => report["memory"]!.AsArray().Sum(use => use![kind]!.GetValue<long>());
        foreach (string kind in new[] { "weight_bytes", "context_bytes", "compute_bytes" })
        {
            Sum(json, kind).Should().Be(Sum(planned, kind), kind);
        }
    }

    [Test]
    public void Fit_plans_for_a_machine_that_is_not_here()
    {
        string[] command = ["fit", DemoModel.Path, "-c", "512", "--vram", "9MiB,9MiB", "--ram", "1GiB", "--fit-margin", "1MiB"];

        string text = _moe.Run(command).Output;
        JsonNode json = _moe.Report(command);

        json["exact"]!.GetValue<bool>().Should().BeFalse();
        json["devices"]!.AsArray().Select(device => device!.GetValue<string>()).Should().Equal("GPU0", "GPU1");
        text.Should().Contain("GPU1").And.Contain("estimated").And.Contain($"Options: {json["options"]!.GetValue<string>()} -c 512");
    }

    [Test]
    public void Fit_lists_the_projector_on_a_line_of_its_own()
    {
        TinyModel model = TinyModels.Olmoe();
        string[] command = ["fit", model.Path, "-c", "512", "--mmproj", TinyProjectors.Gemma3(model)];

        string text = _moe.Run(command).Output;
        JsonNode with = _moe.Report(command);
        JsonNode without = _moe.Report("fit", model.Path, "-c", "512");

        text.Should().Contain(", projector");
        with["projector"]!.AsArray().Sum(use => use!["weight_bytes"]!.GetValue<long>()).Should().BePositive();
        without["projector"]!.AsArray().Should().BeEmpty();
        long Weights(JsonNode report) => report["memory"]!.AsArray().Sum(use => use!["weight_bytes"]!.GetValue<long>());
        Weights(with).Should().Be(Weights(without));
    }

    [Test]
    public void Fit_refuses_what_does_not_fit_and_says_what_would()
    {
        long needed = _moe.Report("fit", DemoModel.Path, "-c", "65536")["memory"]!.AsArray().Sum(use => use!["total_bytes"]!.GetValue<long>());
        string[] command = ["fit", DemoModel.Path, "-c", "65536", "--fit-margin", "0", "--ram", (needed / 2).ToString(CultureInfo.InvariantCulture)];

        MoeResult text = _moe.Run(command);
        MoeResult json = _moe.Run([.. command, "--json"]);

        text.Code.Should().Be(2);
        text.Output.Should().Contain("system memory is ").And.Contain("It would fit with one of these changes:").And.Contain("a context of 16384 tokens");
        json.Code.Should().Be(2);
        JsonNode.Parse(json.Output)!["alternatives"]!.AsArray().Should().NotBeEmpty();
    }

    [Test]
    public void Fit_answers_for_all_models_even_if_one_is_damaged()
    {
        string models = Directory.CreateDirectory(_moe.Home["models"]).FullName;
        File.CreateSymbolicLink(Path.Combine(models, "demo.gguf"), DemoModel.Path);
        _moe.Home.Write("models/broken.gguf", "GGUF");

        MoeResult table = _moe.Run("fit", "--all", "-c", "512");
        JsonArray json = _moe.Report("fit", "--all", "-c", "512").AsArray();

        table.Output.Should().MatchRegex(@"demo\s+\S+ MiB\s+yes\s+all in system memory").And.MatchRegex(@"broken\s+4 B\s+no\s+\S");
        json.Should().HaveCount(2);
        json.Select(model => model!["fits"]!.GetValue<bool>()).Should().BeEquivalentTo([true, false]);
    }

    [Test]
    public void Models_are_loaded_as_planned_or_not_at_all()
    {
        MoeResult loaded = _moe.Run("probe", DemoModel.Path, "-c", "256", "--fit");
        MoeResult refused = _moe.Run("probe", DemoModel.Path, "-c", "256", "--fit", "--fit-margin", "1000TiB");

        loaded.Output.Should().Contain("ok: loaded");
        refused.Code.Should().Be(2);
        refused.Errors.Should().Contain("does not fit in memory with a context of 256 tokens");
    }

    [Test]
    public void Fit_rejects_sizes_that_are_none()
    {
        MoeResult result = _moe.Run("fit", DemoModel.Path, "--vram", "8GiB,much");

        result.Code.Should().Be(64);
        result.Errors.Should().Contain("--vram is '8GiB,much'");
        _moe.Run("fit", DemoModel.Path, "--all").Code.Should().Be(64);
    }

    [TestCase("--device", "There is no device 'CUDA7'")]
    [TestCase("--require-device", "Device 'CUDA7' is required")]
    public void Fit_rejects_devices_that_do_not_exist(string option, string message)
    {
        MoeResult result = _moe.Run("fit", DemoModel.Path, "-c", "512", option, "CUDA7");

        result.Code.Should().Be(2);
        result.Errors.Should().Contain(message);
    }

    [Test]
    public void Fit_answers_for_budgets_that_nothing_fits_into()
    {
        MoeResult host = _moe.Run("fit", DemoModel.Path, "-c", "512", "--ram", "1KiB");
        MoeResult devices = _moe.Run("fit", DemoModel.Path, "-c", "512", "--vram", "1KiB,1KiB", "--ram", "1GiB", "--fit-margin", "0");

        host.Code.Should().Be(2);
        host.Output.Should().Contain("It does not fit").And.Contain("system memory is ").And.Contain("use a model with a smaller quantization");
        devices.Code.Should().Be(0);
        devices.Output.Should().Contain("all in system memory");
    }
}
