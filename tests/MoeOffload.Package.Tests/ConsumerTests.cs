using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>An application in a separate folder uses the packages from a feed, without a native build, environment variables or paths.</summary>
[TestFixture]
public sealed class ConsumerTests
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <InvariantGlobalization>true</InvariantGlobalization>
            <NuGetAudit>false</NuGetAudit>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="MoeOffload" Version="VERSION" />
            <PackageReference Include="MoeOffload.Native.Cpu" Version="VERSION" />
          </ItemGroup>
        </Project>
        """;

    private const string Program = """
        using MoeOffload;

        using var model = await MoeModel.LoadAsync(args[0]);
        using var session = model.CreateSession(new ContextOptions { ContextLength = 256 });
        await foreach (var token in session.GenerateAsync("Hello, experts", SamplingOptions.Greedy, maxTokens: 16))
        {
            Console.Write($"{token.Id} ");
        }

        Console.WriteLine();
        foreach (var library in MoeModel.DescribeRuntime().Backends.Where(library => library.Name.StartsWith("cpu", StringComparison.Ordinal)))
        {
            Console.WriteLine($"{library.Name}: {library.LoadError ?? "loaded"}");
        }
        """;

    // The packages of this machine's cache stand for a public feed; ours come from the local feed alone, and into a cache of their own.
    private const string Feeds = """
        <configuration>
          <config>
            <add key="globalPackagesFolder" value="packages" />
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

    private string _folder = string.Empty;

    [OneTimeSetUp]
    public void MakeApplication()
    {
        _folder = Directory.CreateTempSubdirectory("neue größe ").FullName;
        File.WriteAllText(Path.Combine(_folder, "App.csproj"), Project.Replace("VERSION", Packages.Version, StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(_folder, "Program.cs"), Program);
        File.WriteAllText(
            Path.Combine(_folder, "NuGet.config"),
            Feeds.Replace("OURS", Packages.Folder, StringComparison.Ordinal).Replace("OTHERS", GlobalPackages(), StringComparison.Ordinal));
    }

    [OneTimeTearDown]
    public void RemoveApplication() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Application_builds_loads_a_model_and_streams()
    {
        Succeed("build", "-c", "Release", "-o", "built");

        Streams(Path.Combine("built", "App.dll"));
        Directory.EnumerateFiles(Path.Combine(_folder, "built", Packages.NativeFolder)).Should().HaveCountGreaterThan(5);
    }

    [Test]
    public void Application_published_for_one_platform_loads_a_model_and_streams()
    {
        Succeed("publish", "-c", "Release", "-r", Path.GetFileName(NativeBuild.Directory), "--no-self-contained", "-p:UseAppHost=false", "-o", "published");

        Streams(Path.Combine("published", "App.dll"));
        Directory.Exists(Path.Combine(_folder, "published", "runtimes")).Should().BeFalse("the libraries of one platform lie beside the application");
    }

    private static string GlobalPackages()
    {
        const string Label = "global-packages: ";
        string answer = DotNet.Run(Path.GetTempPath(), "nuget", "locals", "global-packages", "--list").Text;
        return answer[(answer.IndexOf(Label, StringComparison.Ordinal) + Label.Length)..].Trim();
    }

    private void Streams(string application)
    {
        string[] lines = Succeed(application, TinyModels.GptOss().Path).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] tokens = lines[0].Split(' ');

        tokens.Should().HaveCount(16).And.OnlyHaveUniqueItems();

        // The best CPU variant is selected at startup. The variant for all CPUs is never the best one if there are others.
        string[] variants = lines[1..];
        variants.Should().HaveCountGreaterThan(1);
        variants.Where(line => line.EndsWith(": loaded", StringComparison.Ordinal)).Should().ContainSingle().Which.Should().NotStartWith("cpu-x64:");
    }

    private string Succeed(params string[] arguments)
    {
        PeerResult result = DotNet.Run(_folder, arguments);
        result.ExitCode.Should().Be(0, "{0}{1}", result.Text, result.Errors);
        return result.Text;
    }
}
