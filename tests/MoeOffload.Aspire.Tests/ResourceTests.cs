using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Aspire.Tests;

/// <summary>The command line, the environment and the connection string of servers.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ResourceTests : IDisposable
{
    private readonly IDistributedApplicationTestingBuilder _builder = ApplicationModel.Create("Parameters:key=secret", "Parameters:token=hf_token");

    public void Dispose() => _builder.Dispose();

    [Test]
    public async Task Server_runs_the_tool_of_the_same_version_on_loopback()
    {
        IResourceBuilder<MoeOffloadResource> server = _builder.AddMoeOffload("llm").Allocate();

        server.Resource.Command.Should().Be("dotnet");
        (await server.ArgumentsAsync()).Should().Equal(
            "tool", "exec", $"MoeOffload.Cli@{typeof(MoeModel).Assembly.GetName().Version!.ToString(3)}", "--yes", "--", "serve", "--bind", $"127.0.0.1:{ApplicationModel.TargetPort}");
        (await server.EnvironmentAsync()).Should().NotContainKey("MOE_API_KEY");
        (await ConnectionAsync(server)).Should().Be($"Endpoint=http://localhost:{ApplicationModel.Port}/v1");
    }

    [Test]
    public async Task Options_are_those_of_the_command()
    {
        IResourceBuilder<MoeOffloadResource> server = _builder.AddMoeOffload("llm").Allocate()
            .WithServerCommand("moe")
            .WithModel("ggml-org/gpt-oss-20b-GGUF:MXFP4")
            .WithCpuMoe(12)
            .WithPlacement(@"blk\.[0-9]\.ffn_.*_exps=CPU")
            .WithContextLength(4096)
            .WithModelDirectory("a")
            .WithModelDirectory("/b")
            .WithArgs("--parallel", "2");

        server.Resource.Command.Should().Be("moe");
        server.Resource.Model.Should().Be("ggml-org/gpt-oss-20b-GGUF:MXFP4");
        (await server.ArgumentsAsync()).Should().Equal(
            "serve", "--hf-repo", "ggml-org/gpt-oss-20b-GGUF:MXFP4", "--alias", "llm", "--bind", $"127.0.0.1:{ApplicationModel.TargetPort}", "--n-cpu-moe", "12",
            "--override-tensor", @"blk\.[0-9]\.ffn_.*_exps=CPU", "--ctx-size", "4096", "--model-dirs", $"{Path.Combine(_builder.AppHostDirectory, "a")};{Path.GetFullPath("/b")}",
            "--parallel", "2");
    }

    [TestCase("org/repo", "--hf-repo", "org/repo")]
    [TestCase("org/repo:Q4_K_M", "--hf-repo", "org/repo:Q4_K_M")]
    [TestCase("qwen3:30b", "--model", "qwen3:30b")]
    [TestCase("gpt-oss-20b", "--model", "gpt-oss-20b")]
    public async Task Model_is_a_name(string model, string option, string value) =>
        (await _builder.AddMoeOffload("llm").Allocate().WithModel(model).ArgumentsAsync()).Should().ContainInConsecutiveOrder("serve", option, value, "--alias", "llm");

    [TestCase("models/a.gguf")]
    [TestCase("a.GGUF")]
    public async Task Model_is_a_file_relative_to_the_app_host(string model) =>
        (await _builder.AddMoeOffload("llm").Allocate().WithModel(model).ArgumentsAsync())
            .Should().ContainInConsecutiveOrder("--model", Path.Combine(_builder.AppHostDirectory, model));

    [Test]
    public async Task Last_placement_of_experts_decides()
    {
        IResourceBuilder<MoeOffloadResource> server = _builder.AddMoeOffload("llm").Allocate().WithCpuMoe(3).WithCpuMoe();

        (await server.ArgumentsAsync()).Should().Contain("--cpu-moe").And.NotContain("--n-cpu-moe");
    }

    [Test]
    public async Task Key_is_in_the_environment_of_the_server_and_in_the_connection_string()
    {
        IResourceBuilder<MoeOffloadResource> server = _builder.AddMoeOffload("llm").Allocate().WithModel("org/repo").WithApiKey(_builder.AddParameter("key", secret: true));
        IResourceBuilder<ExecutableResource> client = _builder.AddExecutable("client", "client", ".").WithReference(server);

        (await server.EnvironmentAsync())["MOE_API_KEY"].Should().Be("secret");
        (await server.ArgumentsAsync()).Should().NotContain("secret");
        (await client.EnvironmentAsync()).Should().Contain(new Dictionary<string, string>
        {
            ["ConnectionStrings__llm"] = $"Endpoint=http://localhost:{ApplicationModel.Port}/v1;Model=llm;Key=secret",
            ["LLM_URI"] = $"http://localhost:{ApplicationModel.Port}/v1",
            ["LLM_MODELNAME"] = "llm",
            ["LLM_KEY"] = "secret",
        });
    }

    [Test]
    public async Task Key_is_generated()
    {
        IResourceBuilder<MoeOffloadResource> server = _builder.AddMoeOffload("llm").Allocate().WithApiKey();

        (await server.EnvironmentAsync())["MOE_API_KEY"].Should().MatchRegex("^[A-Za-z0-9]{20,}$");
    }

    [Test]
    public async Task Token_of_the_hub_is_in_the_environment() =>
        (await _builder.AddMoeOffload("llm").Allocate().WithHubToken(_builder.AddParameter("token", secret: true)).EnvironmentAsync())["HF_TOKEN"].Should().Be("hf_token");

    [Test]
    public async Task Container_listens_on_all_interfaces_with_a_key_and_keeps_its_models()
    {
        IResourceBuilder<MoeOffloadContainerResource> server = _builder.AddMoeOffloadContainer("llm", "registry.example.org/moeoffload", "0.1.0").Allocate()
            .WithModel("a.gguf")
            .WithCpuMoe()
            .WithModelDirectory("models")
            .WithDataVolume("data");

        // Containers get the address of the dashboard from a service of the application.
        await using DistributedApplication application = await _builder.BuildAsync();
        (await server.ArgumentsAsync()).Should().Equal("serve", "--model", "a.gguf", "--alias", "llm", "--bind", "0.0.0.0:8080", "--cpu-moe", "--model-dirs", "/model-directories/1");
        (await server.EnvironmentAsync())["MOE_API_KEY"].Should().NotBeEmpty();
        server.Resource.Annotations.OfType<ContainerImageAnnotation>().Single().Should().BeEquivalentTo(
            new { Image = "registry.example.org/moeoffload", Tag = "0.1.0" });
        server.Resource.Annotations.OfType<ContainerMountAnnotation>().Should().BeEquivalentTo(
        [
            new { Type = ContainerMountType.BindMount, Source = Path.Combine(_builder.AppHostDirectory, "models"), Target = "/model-directories/1", IsReadOnly = true },
            new { Type = ContainerMountType.Volume, Source = "data", Target = "/data", IsReadOnly = false },
        ]);
    }

    [Test]
    public void Extensions_apply_to_both_kinds_of_servers()
    {
        IResourceBuilder<IMoeOffloadResource>[] servers = [_builder.AddMoeOffload("a"), _builder.AddMoeOffloadContainer("b", "image")];

        foreach (IResourceBuilder<IMoeOffloadResource> server in servers)
        {
            server.WithModel("org/repo").WithCpuMoe().WithPlacement("x=CPU").WithContextLength(0).WithApiKey().Resource.Model.Should().Be("org/repo");
        }
    }

    [Test]
    public void Values_that_the_command_would_reject_are_argument_errors()
    {
        IResourceBuilder<MoeOffloadResource> server = _builder.AddMoeOffload("llm");

        server.Invoking(it => it.WithCpuMoe(513)).Should().Throw<ArgumentOutOfRangeException>();
        server.Invoking(it => it.WithCpuMoe(-1)).Should().Throw<ArgumentOutOfRangeException>();
        server.Invoking(it => it.WithContextLength(-1)).Should().Throw<ArgumentOutOfRangeException>();
        server.Invoking(it => it.WithContextLength((1 << 28) + 1)).Should().Throw<ArgumentOutOfRangeException>();
        server.Invoking(it => it.WithModel(" ")).Should().Throw<ArgumentException>();
        server.Invoking(it => it.WithPlacement(string.Empty)).Should().Throw<ArgumentException>();
        server.Invoking(it => it.WithModelDirectory("a;b")).Should().Throw<ArgumentException>().WithMessage("*'a;b' contains a semicolon*");
    }

    private static async Task<string?> ConnectionAsync(IResourceBuilder<MoeOffloadResource> server) =>
        await ((IResourceWithConnectionString)server.Resource).GetConnectionStringAsync();
}
