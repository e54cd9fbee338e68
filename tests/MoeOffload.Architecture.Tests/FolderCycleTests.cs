using FluentAssertions;
using MoeOffload.Architecture.Tests.Graphs;
using MoeOffload.Architecture.Tests.Reading;
using NUnit.Framework;

namespace MoeOffload.Architecture.Tests;

/// <summary>No folder of a project refers to a folder that refers back to it, however many lie between.</summary>
internal sealed class FolderCycleTests
{
    [TestCase("MoeOffload")]
    [TestCase("MoeOffload.Catalog")]
    [TestCase("MoeOffload.Games")]
    [TestCase("MoeOffload.Hosting")]
    [TestCase("MoeOffload.Server")]
    [TestCase("MoeOffload.Measurement")]
    [TestCase("MoeOffload.Cli")]
    public void Folders_of_a_project_refer_one_way(string project)
    {
        SourceAssembly assembly = Projects.Read(project);

        IReadOnlyList<TypeReference> back = new FolderGraph(assembly.References).BackReferences();

        assembly.Folders.Should().HaveCountGreaterThan(1);
        ArrowList.Write(back).Should().BeEmpty("these references of {0} close a cycle between folders: move what they need downwards", project);
    }

    [TestCase("MoeOffload")]
    [TestCase("MoeOffload.Catalog")]
    [TestCase("MoeOffload.Extensions.AI")]
    [TestCase("MoeOffload.Games")]
    [TestCase("MoeOffload.Hosting")]
    [TestCase("MoeOffload.Aspire")]
    [TestCase("MoeOffload.Aspire.Hosting")]
    [TestCase("MoeOffload.Server")]
    [TestCase("MoeOffload.Measurement")]
    [TestCase("MoeOffload.Cli")]
    public void Types_of_a_project_lie_in_a_folder_of_it(string project) =>
        Projects.Read(project).TypesWithoutFolder.Should().BeEmpty("a type whose folder is unknown would hide what it refers to");
}
