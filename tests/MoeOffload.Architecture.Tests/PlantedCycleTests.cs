using FluentAssertions;
using MoeOffload.Architecture.Tests.Graphs;
using MoeOffload.Architecture.Tests.Reading;
using NUnit.Framework;

namespace MoeOffload.Architecture.Tests;

/// <summary>What the other tests read with finds the cycle that <c>Planted/</c> of this project has, in each way that a type can be named.</summary>
internal sealed class PlantedCycleTests
{
    private const string Lower = "Planted/Lower";
    private const string Upper = "Planted/Upper";

    private static readonly Lazy<SourceAssembly> s_own = new(() => Projects.Read("MoeOffload.Architecture.Tests"));

    [TestCase("ByBaseType", "(declaration)", "UpperClass")]
    [TestCase("IByInterface", "(declaration)", "IUpper")]
    [TestCase("ByConstraint`1", "(declaration)", "IUpper")]
    [TestCase("ByAttribute", "(declaration)", "UpperAttribute")]
    [TestCase("ByAttributeOfMember", "Value", "UpperAttribute")]
    [TestCase("ByField", "Kind", "UpperEnumeration")]
    [TestCase("ByTypeArgument", "Values", "UpperStruct")]
    [TestCase("ByPointer", "Pointer", "UpperStruct")]
    [TestCase("ByParameter", "Take", "UpperDelegate")]
    [TestCase("ByBody", "Read", "UpperClass")]
    [TestCase("ByClosure", "Make", "UpperClass")]
    [TestCase("ByIterator", "List", "UpperClass")]
    [TestCase("ByAsync", "ReadAsync", "UpperClass")]
    [TestCase("ByCatch", "Try", "UpperException")]
    public void Reference_is_found(string type, string member, string target) =>
        s_own.Value.References.Should().Contain(new TypeReference(Lower, type, member, Upper, target));

    [Test]
    public void Cycle_is_found_without_the_folder_beside_it() =>
        new FolderGraph(s_own.Value.References).Cycles().Should().ContainSingle(cycle => cycle.Contains(Lower))
            .Which.Should().Equal(Lower, Upper);

    [Test]
    public void Back_references_are_the_fewer_ones() =>
        ArrowList.Write(new FolderGraph(Planted(backReferences: 1)).BackReferences()).Trim()
            .Should().Be($"A -> B: 1 reference{Environment.NewLine}    One.M0 -> Two");

    [Test]
    public void Cycle_over_three_folders_is_found() =>
        new FolderGraph([Reference("A", "B", 0), Reference("B", "C", 0), Reference("C", "A", 0)]).Cycles()
            .Should().ContainSingle().Which.Should().Equal("A", "B", "C");

    [Test]
    public void Folders_that_refer_one_way_have_no_cycle()
    {
        var graph = new FolderGraph([Reference("A", "B", 0), Reference("A", "C", 0), Reference("B", "C", 0)]);

        graph.Cycles().Should().BeEmpty();
        graph.BackReferences().Should().BeEmpty();
    }

    [Test]
    public void Types_of_this_project_lie_in_a_folder_of_it() => s_own.Value.TypesWithoutFolder.Should().BeEmpty();

    private static IEnumerable<TypeReference> Planted(int backReferences) =>
        [.. Enumerable.Range(0, backReferences).Select(i => Reference("A", "B", i)), .. Enumerable.Range(0, 5).Select(i => Reference("B", "A", i))];

    private static TypeReference Reference(string from, string to, int member) => new(from, "One", $"M{member}", to, "Two");
}
