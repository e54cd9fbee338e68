using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

[TestFixture]
public sealed class RuntimeInfoTests
{
    [Test]
    public void Runtime_names_its_directory_and_the_backends_in_use()
    {
        RuntimeInfo runtime = MoeModel.DescribeRuntime();

        runtime.LlamaCppVersion.Should().NotBeEmpty();
        runtime.Directory.Should().Be(NativeBuild.Directory);
        runtime.Backends.Where(backend => backend.LoadError is null).Select(backend => backend.Name)
            .Should().Contain("rpc").And.ContainSingle(name => name.StartsWith("cpu"));
        runtime.Backends.Should().OnlyContain(backend => File.Exists(backend.Path));
        runtime.Features.Should().Contain(feature => feature.StartsWith("CPU: "));
    }

    [Test]
    public void Features_are_read_by_backend_and_those_that_are_off_are_left_out()
    {
        RuntimeInfo.ReadFeatures("CUDA : ARCHS = 800,900 | GRAPHS = 1 | CPU : SSE3 = 1 | AVX512 = 0 | ")
            .Should().Equal("CUDA: ARCHS = 800,900", "CUDA: GRAPHS", "CPU: SSE3");
    }
}
