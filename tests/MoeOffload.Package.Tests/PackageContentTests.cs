using System.Buffers.Binary;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

[TestFixture]
public sealed class PackageContentTests
{
    private const string Managed = "MoeOffload";
    private const string Cpu = "MoeOffload.Native.Cpu";
    private const long LargestPackage = 250_000_000;

    [Test]
    public void Managed_package_holds_the_library_and_its_documentation()
    {
        using ZipArchive package = Packages.Open(Managed);

        Files(package).Should().BeEquivalentTo(
        [
            "lib/net10.0/MoeOffload.dll",
            "lib/net10.0/MoeOffload.xml",
            "lib/net8.0/MoeOffload.dll",
            "lib/net8.0/MoeOffload.xml",
            "lib/netstandard2.1/MoeOffload.dll",
            "lib/netstandard2.1/MoeOffload.xml",
            "PACKAGE.md",
            "LICENSE",
            "THIRD-PARTY-NOTICES.txt",
            "icon.png",
            .. Packages.Platforms.SelectMany(static platform => new[] { $"runtimes/{platform}/lib/net10.0/MoeOffload.dll", $"runtimes/{platform}/lib/net8.0/MoeOffload.dll" }),
        ]);
        Dependencies(package, "net10.0").Should().Equal("Microsoft.Extensions.Logging.Abstractions 10.0.0");
        Dependencies(package, "net8.0").Should().Equal("Microsoft.Extensions.Logging.Abstractions 10.0.0", "System.Text.Json 10.0.0");
        Dependencies(package, ".NETStandard2.1").Should().Equal(
            "Microsoft.Bcl.Memory 10.0.4",
            "Microsoft.Bcl.TimeProvider 10.0.0",
            "Microsoft.Extensions.Logging.Abstractions 10.0.0",
            "System.Collections.Immutable 10.0.1",
            "System.Text.Json 10.0.0",
            "System.Threading.Channels 10.0.5");
    }

    [TestCase("net10.0", "net10.0")]
    [TestCase("net8.0", "net8.0")]
    [TestCase("netstandard2.1", ".NETStandard2.1")]
    public void Games_package_needs_only_the_library_and_what_the_library_needs(string folder, string framework)
    {
        using ZipArchive package = Packages.Open("MoeOffload.Games");

        Files(package).Should().Contain($"lib/{folder}/MoeOffload.Games.dll");
        Dependencies(package, framework).Select(dependency => dependency.Split(' ')[0])
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && !name.StartsWith("Microsoft.Bcl.", StringComparison.Ordinal))
            .Should().BeEquivalentTo(Managed, "Microsoft.Extensions.Logging.Abstractions");
    }

    [TestCase("net10.0")]
    [TestCase("net8.0")]
    public void Hosting_package_needs_only_our_packages_and_those_of_dotnet(string framework)
    {
        using ZipArchive package = Packages.Open("MoeOffload.Hosting");

        Files(package).Should().Contain($"lib/{framework}/MoeOffload.Hosting.dll");
        Dependencies(package, framework).Select(dependency => dependency.Split(' ')[0]).Should().BeEquivalentTo(
            "MoeOffload.Catalog", "MoeOffload.Extensions.AI", "Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Hosting.Abstractions");
    }

    [Test]
    public void Library_for_a_platform_is_the_same_code_and_compiled_ahead_of_time()
    {
        using ZipArchive package = Packages.Open(Managed);

        foreach (string platform in Packages.Platforms)
        {
            foreach (string framework in (string[])["net10.0", "net8.0"])
            {
                (Guid portable, bool isPortableCompiled) = Inspect($"lib/{framework}/MoeOffload.dll");
                (Guid compiled, bool isCompiled) = Inspect($"runtimes/{platform}/lib/{framework}/MoeOffload.dll");
                compiled.Should().Be(portable, "symbols and references are those of the portable library");
                isPortableCompiled.Should().BeFalse();
                isCompiled.Should().BeTrue("of {0} for {1}", platform, framework);
            }
        }

        (Guid Version, bool IsCompiled) Inspect(string file)
        {
            using var reader = new PEReader(new MemoryStream(package.GetEntry(file)!.Read()));
            MetadataReader metadata = reader.GetMetadataReader();
            return (metadata.GetGuid(metadata.GetModuleDefinition().Mvid), reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0);
        }
    }

    [TestCase("MoeOffload.Aspire", "net10.0")]
    [TestCase("MoeOffload.Aspire", "net8.0")]
    [TestCase("MoeOffload.Aspire.Hosting", "net10.0")]
    [TestCase("MoeOffload.Aspire.Hosting", "net8.0")]
    public void Package_for_Aspire_needs_none_of_ours(string id, string framework)
    {
        using ZipArchive package = Packages.Open(id);

        Files(package).Should().Contain($"lib/{framework}/{id}.dll");
        Dependencies(package, framework).Should().NotBeEmpty().And.NotContain(dependency => dependency.StartsWith("MoeOffload", StringComparison.Ordinal));
    }

    [TestCaseSource(typeof(Packages), nameof(Packages.Platforms))]
    public void Native_package_holds_the_libraries_of_a_platform(string platform)
    {
        using ZipArchive package = Packages.Open(Cpu);

        string folder = $"runtimes/{platform}/native/";
        string prefix = folder + (platform.StartsWith("win-", StringComparison.Ordinal) ? "moe-" : "libmoe-");
        List<string> files = [.. Files(package).Where(file => file.StartsWith(folder, StringComparison.Ordinal)).Select(static file => Path.ChangeExtension(file, null))];
        List<string> variants = [.. files.Where(file => file.StartsWith(prefix + "ggml-cpu", StringComparison.Ordinal))];
        string[] others = ["ggml-base", "ggml-rpc", "ggml", "llama", "mtmd", "shim"];
        files.Except(variants).Should().BeEquivalentTo(others.Select(library => prefix + library));

        // ./build.sh pack packs the builds for all CPUs. ./build.sh test packs the build for every CPU and the best one for this machine, and
        // one build for each of the other platforms.
        if (folder != Packages.NativeFolder)
        {
            variants.Should().NotBeEmpty();
            return;
        }

        variants.Should().HaveCountGreaterThan(1);
        if (platform == "linux-x64")
        {
            variants.Should().Contain($"{prefix}ggml-cpu-x64");
        }
    }

    [Test]
    public void Native_package_holds_licenses_and_requires_its_own_version()
    {
        using ZipArchive package = Packages.Open(Cpu);

        Files(package).Where(static file => !file.StartsWith("runtimes/", StringComparison.Ordinal))
            .Should().BeEquivalentTo("PACKAGE.md", "LICENSE", "THIRD-PARTY-NOTICES.txt", "icon.png");
        package.GetEntry("THIRD-PARTY-NOTICES.txt")!.Read().Should().Equal(File.ReadAllBytes(Path.Combine(NativeBuild.Repository, "THIRD-PARTY-NOTICES.txt")));
        Dependencies(package).Should().Equal([$"{Managed} [{Packages.Version}]"], "the libraries are for exactly one version of the managed code");
    }

    [TestCaseSource(nameof(Ids))]
    public void Package_has_tags_an_icon_a_license_notices_and_a_readme_whose_links_work_outside_the_repository(string id)
    {
        using ZipArchive package = Packages.Open(id);

        XDocument nuspec = Nuspec(package);
        Text("tags").Should().Contain("llm");
        Text("license").Should().Be("MIT");
        Files(package).Should().Contain("LICENSE").And.Contain("THIRD-PARTY-NOTICES.txt");
        package.GetEntry(Text("icon"))!.Read().Should().StartWith([0x89, (byte)'P', (byte)'N', (byte)'G']);
        string readme = Encoding.UTF8.GetString(package.GetEntry(Text("readme"))!.Read());
        readme.Should().StartWith("# ");
        Regex.Matches(readme, @"\]\((?<target>[^)]*)\)").Select(link => link.Groups["target"].Value)
            .Should().NotContain(target => !target.StartsWith("https://", StringComparison.Ordinal));

        string Text(string name) => nuspec.Descendants().Single(element => element.Name.LocalName == name).Value;
    }

    [TestCaseSource(nameof(Libraries))]
    public void Symbols_are_in_a_package_of_their_own(string id)
    {
        using ZipArchive package = Packages.Open(id);
        using ZipArchive symbols = ZipFile.OpenRead(Path.Combine(Packages.Folder, $"{id}.{Packages.Version}.snupkg"));

        Files(package).Should().NotContain(file => file.EndsWith(".pdb", StringComparison.Ordinal));
        Files(symbols).Should().Contain(file => file.EndsWith(".pdb", StringComparison.Ordinal));
    }

    [TestCase(Managed)]
    [TestCase(Cpu)]
    public void Package_names_no_directory_of_the_machine_that_built_it(string id)
    {
        string[] directories = [NativeBuild.Repository, RealVocabularies.SourceDirectory, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)];
        using ZipArchive package = Packages.Open(id);

        foreach (ZipArchiveEntry entry in package.Entries)
        {
            byte[] content = entry.Read();
            directories.Where(directory => content.AsSpan().IndexOf(Encoding.UTF8.GetBytes(directory + "/")) >= 0)
                .Should().BeEmpty("of {0}", entry.FullName);
        }
    }

    [Test]
    public void Libraries_are_stripped()
    {
        using ZipArchive package = Packages.Open(Cpu);

        package.Entries.Where(entry => Path.GetExtension(entry.Name) is ".so" or ".dll").Should().OnlyContain(entry => !HasSymbols(entry));
    }

    [TestCase(Managed)]
    [TestCase(Cpu)]
    public void Package_is_small_enough_for_a_feed(string id)
    {
        long size = new FileInfo(Path.Combine(Packages.Folder, $"{id}.{Packages.Version}.nupkg")).Length;

        TestContext.Out.WriteLine($"{id}: {size / 1e6:0.0} MB");
        size.Should().BeLessThan(LargestPackage);
    }

    private static string[] Libraries() => [Managed, "MoeOffload.Catalog", "MoeOffload.Extensions.AI", "MoeOffload.Games", "MoeOffload.Hosting", "MoeOffload.Aspire", "MoeOffload.Aspire.Hosting", "MoeOffload.Server"];

    private static string[] Ids() => [.. Libraries(), "MoeOffload.Cli", "MoeOffload.Templates", Cpu];

    private static IEnumerable<string> Dependencies(ZipArchive package, string? framework = null) => Nuspec(package).Descendants()
        .Where(element => element.Name.LocalName == "dependency" && (framework is null || element.Parent!.Attribute("targetFramework")!.Value == framework))
        .Select(element => $"{element.Attribute("id")!.Value} {element.Attribute("version")!.Value}");

    // NuGet's own parts apart.
    private static IEnumerable<string> Files(ZipArchive package) => package.Entries.Select(entry => entry.FullName)
        .Where(name => !name.EndsWith(".nuspec", StringComparison.Ordinal) && !name.StartsWith("_rels/", StringComparison.Ordinal)
            && !name.StartsWith("package/", StringComparison.Ordinal) && name != "[Content_Types].xml");

    private static XDocument Nuspec(ZipArchive package)
    {
        using Stream stream = package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(stream);
    }

    // The number of symbols in the file header of the Portable Executable format, whose offset is at 0x3C.
    private static bool HasCoffSymbols(ReadOnlySpan<byte> file) =>
        BinaryPrimitives.ReadUInt32LittleEndian(file[(BinaryPrimitives.ReadInt32LittleEndian(file[0x3C..]) + 16)..]) > 0;

    private static bool HasSymbols(ZipArchiveEntry entry) =>
        Path.GetExtension(entry.Name) == ".so" ? HasSymbolTable(entry.Read()) : HasCoffSymbols(entry.Read());

    // A section of type SHT_SYMTAB, in ELF's 64-bit little-endian layout.
    private static bool HasSymbolTable(ReadOnlySpan<byte> elf)
    {
        const uint SymbolTable = 2;
        int sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(elf[0x28..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3A..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3C..]);
        for (int i = 0; i < count; i++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(elf[(sections + (i * size) + 4)..]) == SymbolTable)
            {
                return true;
            }
        }

        return false;
    }
}
