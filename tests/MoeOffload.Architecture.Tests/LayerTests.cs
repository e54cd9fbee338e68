using FluentAssertions;
using MoeOffload.Architecture.Tests.Graphs;
using MoeOffload.Architecture.Tests.Reading;
using NUnit.Framework;

namespace MoeOffload.Architecture.Tests;

/// <summary>Checks which folders of the library depend on native code.</summary>
internal sealed class LayerTests
{
    private static readonly Lazy<SourceAssembly> s_library = new(() => Projects.Read("MoeOffload"));

    [TestCase("Gguf")]
    [TestCase("Placement")]
    [TestCase("Inference/Planning")]
    [TestCase("Diagnostics")]
    public void Folder_knows_nothing_of_native_code(string folder) =>
        ArrowList.Write(s_library.Value.References.Where(reference => IsIn(reference.FromFolder, folder)
            && (IsIn(reference.ToFolder, "Native") || reference.ToFolder == Projects.Bindings))).Should().BeEmpty();

    [Test]
    public void Native_knows_what_lies_below_it_only() =>
        ArrowList.Write(s_library.Value.References.Where(reference => IsIn(reference.FromFolder, "Native")
            && reference.ToFolder is not ("Errors" or "Gguf" or Projects.Bindings))).Should().BeEmpty();

    [Test]
    public void Native_alone_touches_the_generated_signatures() =>
        ArrowList.Write(s_library.Value.References.Where(reference => reference.ToFolder == Projects.Bindings
            && !IsIn(reference.FromFolder, "Native"))).Should().BeEmpty();

    private static bool IsIn(string folder, string room) => folder == room || folder.StartsWith(room + "/", StringComparison.Ordinal);
}
