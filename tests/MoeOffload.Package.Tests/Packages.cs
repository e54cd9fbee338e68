using System.IO.Compression;
using MoeOffload.Fixtures;

namespace MoeOffload.Package.Tests;

/// <summary>Finds the packages that <c>./build.sh pack</c> created.</summary>
internal static class Packages
{
    // The packages of this machine's cache stand for a public feed; ours come from the local feed alone, and into a cache of their own.
    private const string Feeds = """
        <configuration>
          <config>
            <add key="globalPackagesFolder" value="CACHE" />
          </config>
          <packageSources>
            <clear />
            <add key="ours" value="OURS" />
            <add key="others" value="OTHERS" />
          </packageSources>
          <packageSourceMapping>
            <clear />
            <packageSource key="ours"><package pattern="MoeOffload*" /></packageSource>
            <packageSource key="others"><package pattern="*" /></packageSource>
          </packageSourceMapping>
          <fallbackPackageFolders>
            <clear />
          </fallbackPackageFolders>
        </configuration>
        """;

    private static readonly Lazy<TemporaryDirectory> s_cache = new();

    /// <summary>The local feed.</summary>
    public static string Folder { get; } = Path.Combine(NativeBuild.Repository, "artifacts", "packages");

    /// <summary>The native folder in a package and in a published application's <c>runtimes</c>.</summary>
    public static string NativeFolder { get; } = $"runtimes/{Path.GetFileName(NativeBuild.Directory)}/native/";

    /// <summary>The version that all packages have.</summary>
    public static string Version { get; } = typeof(MoeModel).Assembly.GetName().Version!.ToString(3);

    /// <summary>The platforms of the libraries in the native package, such as <c>win-x64</c>.</summary>
    public static IEnumerable<string> Platforms
    {
        get
        {
            using ZipArchive package = Open("MoeOffload.Native.Cpu");
            return
            [
                .. package.Entries.Where(static entry => entry.FullName.StartsWith("runtimes/", StringComparison.Ordinal))
                    .Select(static entry => entry.FullName.Split('/')[1]).Distinct(StringComparer.Ordinal),
            ];
        }
    }

    /// <summary>Returns the project of an application that uses the library and its native package.</summary>
    /// <param name="properties">The properties that are its own, in XML.</param>
    public static string Application(string properties) => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            {properties}
            <ImplicitUsings>enable</ImplicitUsings>
            <InvariantGlobalization>true</InvariantGlobalization>
            <NuGetAudit>false</NuGetAudit>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="MoeOffload" Version="{Version}" />
            <PackageReference Include="MoeOffload.Native.Cpu" Version="{Version}" />
          </ItemGroup>
        </Project>
        """;

    /// <summary>Lets the projects in a directory take our packages from the local feed, and all others from the cache of this machine.</summary>
    /// <remarks>The projects of all tests share a cache, so that each package is unpacked once.</remarks>
    /// <param name="directory">The directory.</param>
    public static void WriteFeeds(string directory) => File.WriteAllText(
        Path.Combine(directory, "NuGet.config"),
        Feeds.Replace("CACHE", s_cache.Value.Path, StringComparison.Ordinal)
            .Replace("OURS", Folder, StringComparison.Ordinal)
            .Replace("OTHERS", GlobalPackages(), StringComparison.Ordinal));

    /// <summary>Deletes the cache that the tests share.</summary>
    public static void DeleteCache()
    {
        if (s_cache.IsValueCreated)
        {
            s_cache.Value.Dispose();
        }
    }

    /// <summary>Opens a package.</summary>
    public static ZipArchive Open(string id)
    {
        string path = Path.Combine(Folder, $"{id}.{Version}.nupkg");
        return File.Exists(path)
            ? ZipFile.OpenRead(path)
            : throw new FileNotFoundException($"{path} is missing: run ./build.sh pack first.");
    }

    /// <summary>The content of an entry.</summary>
    public static byte[] Read(this ZipArchiveEntry entry)
    {
        using Stream stream = entry.Open();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private static string GlobalPackages()
    {
        const string Label = "global-packages: ";
        string answer = DotNet.Run(Path.GetTempPath(), "nuget", "locals", "global-packages", "--list").Text;
        return answer[(answer.IndexOf(Label, StringComparison.Ordinal) + Label.Length)..].Trim();
    }
}
