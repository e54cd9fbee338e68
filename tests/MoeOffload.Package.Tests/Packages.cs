using System.IO.Compression;
using MoeOffload.Fixtures;

namespace MoeOffload.Package.Tests;

/// <summary>Finds the packages that <c>./build.sh pack</c> created.</summary>
internal static class Packages
{
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
}
