using FluentAssertions;
using MoeOffload.Bindings.Generator;
using MoeOffload.Bindings.Generator.Clang;
using NUnit.Framework;

namespace MoeOffload.Bindings.Tests;

[TestFixture]
[RequiresClang]
[RequiresNativeHeaders]
internal sealed class GeneratedFilesTests
{
    private IReadOnlyDictionary<string, string> _files = new Dictionary<string, string>();

    [OneTimeSetUp]
    public void Generate() => _files = BindingsGenerator.Generate(
        Checkout.Options with { Headers = Checkout.Headers! }, new ClangJsonParser(new ClangTool("clang")));

    [Test]
    public void Committed_files_are_what_the_generator_writes()
    {
        foreach ((string path, string text) in _files)
        {
            File.ReadAllText(path).Should().Be(text, "{0} is generated: run ./build.sh bindings", Path.GetFileName(path));
        }
    }

    [Test]
    public void Committed_folder_holds_nothing_else()
        => Directory.GetFiles(Checkout.Options.Out, "*.cs").Should().BeSubsetOf(_files.Keys);
}
