using System.Runtime.Versioning;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Shared;
using NUnit.Framework;

namespace MoeOffload.Catalog.Tests;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Test]
    public void Committed_file_replaces_the_old_one_whole()
    {
        string path = _directory.Write("state", "a long old content");
        using (AtomicFile file = AtomicFile.Create(path))
        {
            file.Stream.Write("new"u8);
            File.ReadAllText(path).Should().Be("a long old content", "it is not complete yet");
            file.Commit();
        }

        File.ReadAllText(path).Should().Be("new");
        Entries().Should().Equal("state");
    }

    [Test]
    public void File_that_is_not_committed_leaves_the_old_one_and_nothing_else()
    {
        string path = _directory.Write("state", "old");

        using (AtomicFile file = AtomicFile.Create(path))
        {
            file.Stream.Write("half of the n"u8);
        }

        File.ReadAllText(path).Should().Be("old");
        Entries().Should().Equal("state");
    }

    [Test]
    public void File_that_is_not_committed_does_not_appear()
    {
        AtomicFile.Create(_directory["state"]).Dispose();

        Entries().Should().BeEmpty();
    }

    [Test]
    public void Destination_that_cannot_be_replaced_leaves_no_temporary_file()
    {
        using (AtomicFile file = AtomicFile.Create(_directory["state"]))
        {
            Directory.CreateDirectory(_directory["state"]);

            file.Invoking(it => it.Commit()).Should().Throw<Exception>().Which.Should().Match(error => error is IOException || error is UnauthorizedAccessException);
        }

        Entries().Should().Equal("state");
    }

    [Test]
    public void Missing_directory_is_an_error_that_names_the_destination()
    {
        Action create = () => AtomicFile.Create(_directory["none", "state"]);

        create.Should().Throw<DirectoryNotFoundException>().WithMessage($"'{_directory["none", "state"]}'*directory does not exist*");
    }

    [Test]
    public void Text_is_written_without_a_byte_order_mark()
    {
        AtomicFile.WriteAllText(_directory["text"], "ä");

        File.ReadAllBytes(_directory["text"]).Should().Equal(0xC3, 0xA4);
    }

    [Test]
    [Platform(Exclude = "Win")]
    [UnsupportedOSPlatform("windows")]
    public void Permissions_of_the_old_file_are_kept()
    {
        string path = _directory.Write("secret", "old");
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.SetUnixFileMode(path, Private);

        AtomicFile.WriteAllText(path, "new");

        File.GetUnixFileMode(path).Should().Be(Private);
    }

    [Test]
    [Platform(Exclude = "Win")]
    [UnsupportedOSPlatform("windows")]
    public void New_file_has_the_permissions_that_were_asked_for()
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        AtomicFile.WriteAllText(_directory["new"], "text", Private);

        File.GetUnixFileMode(_directory["new"]).Should().Be(Private);
    }

    [Test]
    [Platform(Exclude = "Win")]
    public void Link_stays_a_link_and_its_target_is_replaced()
    {
        string target = _directory.Write("elsewhere/target", "old");
        File.CreateSymbolicLink(_directory["link"], Path.Combine("elsewhere", "target"));

        AtomicFile.WriteAllText(_directory["link"], "new");

        new FileInfo(_directory["link"]).LinkTarget.Should().NotBeNull();
        File.ReadAllText(target).Should().Be("new");
        Directory.GetFiles(_directory["elsewhere"]).Should().ContainSingle();
    }

    [Test]
    [Platform(Exclude = "Win")]
    public void Device_is_written_and_not_replaced()
    {
        AtomicFile.WriteAllText("/dev/null", "text");

        // A file that took its place would have the text.
        File.ReadAllText("/dev/null").Should().BeEmpty();
    }

    private IEnumerable<string> Entries() => Directory.EnumerateFileSystemEntries(_directory.Path).Select(path => Path.GetFileName(path)!);
}
