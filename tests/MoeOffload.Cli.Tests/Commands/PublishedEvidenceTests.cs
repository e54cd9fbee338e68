using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>Checks that the evidence in the repository is valid, and that the white paper matches it.</summary>
[TestFixture]
public sealed class PublishedEvidenceTests
{
    private static readonly string s_docs = Path.Combine(NativeBuild.Repository, "docs");

    private static string[] Folders => Directory.GetDirectories(Path.Combine(s_docs, "evidence"));

    [TestCaseSource(nameof(Folders))]
    public void Evidence_holds(string folder)
    {
        using var moe = new Moe();

        moe.Run("evidence", "verify", folder).Output.Should().StartWith("ok: ");
    }

    [Test]
    public void Paper_follows_from_the_evidence()
    {
        using var moe = new Moe();

        MoeResult result = moe.Run(
            "evidence", "render", Path.Combine(s_docs, "whitepaper.template.md"), "-o", Path.Combine(s_docs, "whitepaper.md"), "--check",
            Folder("demo", "demo"), Folder("gpt", "gpt-oss-20b"), Folder("deepseek", "deepseek-moe-16b"), Folder("phi", "phi-3.5-moe"));

        result.Code.Should().Be(0, result.Errors);
    }

    private static string Folder(string name, string ending) => $"{name}={Folders.Single(folder => folder.EndsWith(ending, StringComparison.Ordinal))}";
}
