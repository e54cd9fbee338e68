using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>An application in a separate folder uses the packages from a feed, without a native build, environment variables or paths.</summary>
[TestFixture]
public sealed class ConsumerTests
{
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

    private string _folder = string.Empty;

    [OneTimeSetUp]
    public void MakeApplication()
    {
        _folder = Directory.CreateTempSubdirectory("neue größe ").FullName;
        File.WriteAllText(Path.Combine(_folder, "App.csproj"), Packages.Application("<TargetFrameworks>net10.0;net8.0</TargetFrameworks>"));
        File.WriteAllText(Path.Combine(_folder, "Program.cs"), Program);
        Packages.WriteFeeds(_folder);
    }

    [OneTimeTearDown]
    public void RemoveApplication() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Application_builds_loads_a_model_and_streams()
    {
        Succeed("build", "-c", "Release", "-f", "net10.0", "-o", "built");

        Streams(() => DotNet.Run(_folder, Path.Combine("built", "App.dll"), TinyModels.GptOss().Path));
        Directory.EnumerateFiles(Path.Combine(_folder, "built", Packages.NativeFolder)).Should().HaveCountGreaterThan(5);
    }

    [Test]
    public void Application_published_for_one_platform_loads_a_model_and_streams()
    {
        Succeed("publish", "-c", "Release", "-f", "net10.0", "-r", Path.GetFileName(NativeBuild.Directory), "--no-self-contained", "-p:UseAppHost=false", "-o", "published");

        Streams(() => DotNet.Run(_folder, Path.Combine("published", "App.dll"), TinyModels.GptOss().Path));
        Directory.Exists(Path.Combine(_folder, "published", "runtimes")).Should().BeFalse("the libraries of one platform lie beside the application");
    }

    // The runtime of .NET 8 is among this machine's packages, since ./build.sh test builds the library's tests for .NET 8 as well.
    [Test]
    public void Application_on_dotnet_8_that_brings_its_runtime_loads_a_model_and_streams()
    {
        Succeed("publish", "-c", "Release", "-f", "net8.0", "-r", Path.GetFileName(NativeBuild.Directory), "--self-contained", "-o", "net8");

        string application = Path.Combine(_folder, "net8", OperatingSystem.IsWindows() ? "App.exe" : "App");
        Streams(() => Peer.RunFile(application, TinyModels.GptOss().Path));
    }

    private static void Streams(Func<PeerResult> run)
    {
        string[] lines = Succeed(run()).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string[] tokens = lines[0].Split(' ');

        tokens.Should().HaveCount(16).And.OnlyHaveUniqueItems();

        // The best CPU variant is selected at startup. The variant for all CPUs is never the best one if there are others.
        string[] variants = lines[1..];
        variants.Should().HaveCountGreaterThan(1);
        variants.Where(line => line.EndsWith(": loaded", StringComparison.Ordinal)).Should().ContainSingle().Which.Should().NotStartWith("cpu-x64:");
    }

    private string Succeed(params string[] arguments) => Succeed(DotNet.Run(_folder, arguments));

    private static string Succeed(PeerResult result)
    {
        result.ExitCode.Should().Be(0, "{0}{1}", result.Text, result.Errors);
        return result.Text;
    }
}
