using FluentAssertions;
using MoeOffload.Architecture.Tests.Graphs;
using MoeOffload.Architecture.Tests.Reading;
using NUnit.Framework;

namespace MoeOffload.Architecture.Tests;

/// <summary>The pictures of docs/architecture.md that show the folders of a project.</summary>
internal sealed class ArchitecturePageTests
{
    [TestCase("MoeOffload")]
    public void Picture_of_the_folders_is_that_of_the_compiled_code(string project)
    {
        string drawn = FolderPicture.Draw(Projects.Read(project).References);

        PictureOf(project).Should().Be(drawn, "docs/architecture.md shows the folders of {0}; this is what they are now:\n{1}", project, drawn);
    }

    [Test]
    public void Arrow_that_others_imply_is_left_out()
    {
        TypeReference[] references = [Reference("A", "B"), Reference("B", "C/D"), Reference("A", "C/D"), Reference("A", "A"), Reference("", "A")];

        FolderPicture.Draw(references).Should().Be(
            "flowchart TD\n    root[\"the root folder\"] --> A[\"A\"]\n    A[\"A\"] --> B[\"B\"]\n    B[\"B\"] --> C_D[\"C/D\"]\n");
    }

    private static TypeReference Reference(string from, string to) => new(from, "Type", "Member", to, "Other");

    private static string PictureOf(string project)
    {
        string page = File.ReadAllText(Path.Combine(Root(), "docs", "architecture.md")).ReplaceLineEndings("\n");
        string start = $"<!-- folders of {project} -->\n```mermaid\n";
        int at = page.IndexOf(start, StringComparison.Ordinal);
        return at < 0 ? string.Empty : page[(at + start.Length)..page.IndexOf("```", at + start.Length, StringComparison.Ordinal)];
    }

    private static string Root()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "MoeOffload.sln")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new DirectoryNotFoundException("No directory above holds MoeOffload.sln: run the tests in a checkout.");
    }
}
