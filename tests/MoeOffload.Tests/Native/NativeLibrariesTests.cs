using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Native;
using NUnit.Framework;

namespace MoeOffload.Tests.Native;

[TestFixture]
public sealed class NativeLibrariesTests
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("MoeOffload größe ").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void An_explicit_directory_is_the_only_one_that_is_tried()
    {
        string missing = Path.Combine(_folder, "missing");

        NativeLibraries.SearchDirectories(missing).Should().Equal(missing);
        FluentActions.Invoking(() => NativeLibraries.Find([missing])).Should().Throw<NativeLibraryException>()
            .WithMessage($"*moe-shim*was not found*./build.sh native*NativeLibraryDirectory*Tried: {missing}");
    }

    [Test]
    public void Without_one_every_place_that_was_tried_is_named()
    {
        List<string> places = NativeLibraries.SearchDirectories(null);

        places.Should().Contain(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar))
            .And.Contain(Path.Combine(AppContext.BaseDirectory, "runtimes", NativeLibraries.RuntimeIdentifier, "native"))
            .And.Contain(NativeBuild.Directory)
            .And.OnlyHaveUniqueItems();
        FluentActions.Invoking(() => NativeLibraries.Find([.. places.Select(place => place + "-missing")])).Should().Throw<NativeLibraryException>()
            .Which.Message.Should().ContainAll(places.Select(place => place + "-missing"));
    }

    [Test]
    public void A_library_that_is_damaged_is_named_with_the_reason()
    {
        string file = Path.Combine(_folder, NativeBuild.FileName("shim"));
        File.WriteAllText(file, "no library");

        NativeLibraries.Find([_folder]).Should().Be(_folder);
        FluentActions.Invoking(() => NativeLibraries.Bind(_folder)).Should().Throw<NativeLibraryException>()
            .WithMessage($"{file} could not be loaded: *");
    }

    [Test]
    public void A_library_without_the_others_is_refused_with_the_one_that_is_missing()
    {
        File.Copy(Path.Combine(NativeBuild.Directory, NativeBuild.FileName("shim")), Path.Combine(_folder, NativeBuild.FileName("shim")));

        FluentActions.Invoking(() => NativeLibraries.Bind(_folder)).Should().Throw<NativeLibraryException>()
            .WithMessage(OperatingSystem.IsLinux() ? "*could not be loaded: *libmoe-*" : "*could not be loaded: *"); // other systems do not tell which one
    }

    [Test]
    public void Another_directory_than_the_one_in_use_is_refused_with_both()
    {
        MoeModel.ListDevices();

        FluentActions.Invoking(() => MoeModel.ListDevices(new ModelOptions { NativeLibraryDirectory = _folder }))
            .Should().Throw<NativeLibraryException>().WithMessage($"*already loaded from {NativeBuild.Directory}*'{_folder}'*");
        MoeModel.ListDevices(new ModelOptions { NativeLibraryDirectory = NativeBuild.Directory + Path.DirectorySeparatorChar }).Should().NotBeEmpty();
    }

    [Test]
    public void Backends_are_found_by_name_the_first_directory_first()
    {
        string other = Directory.CreateDirectory(Path.Combine(_folder, "other")).FullName;
        string cpu = NativeBuild.BackendFileName("cpu");
        string cuda = NativeBuild.BackendFileName("cuda");
        string foreign = cuda.Replace("moe-", string.Empty, StringComparison.Ordinal);
        foreach (string path in new[] { cpu, NativeBuild.BackendFileName("base"), NativeBuild.FileName("ggml"), foreign, Path.Combine("other", cpu), Path.Combine("other", cuda) })
        {
            File.WriteAllText(Path.Combine(_folder, path), string.Empty);
        }

        NativeLibraries.Backends([_folder, Path.Combine(_folder, "missing"), other]).Should().Equal(
            ("cpu", Path.Combine(_folder, cpu)), ("cuda", Path.Combine(other, cuda)));
    }
}
