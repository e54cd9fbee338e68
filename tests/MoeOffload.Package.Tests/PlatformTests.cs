using System.Globalization;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Package.Tests;

/// <summary>
/// Applications from the packages on the platforms that are not this machine's. Without <c>./build.sh test --platforms</c>, the packages usually
/// have no libraries for others, and there is nothing to test.
/// </summary>
[TestFixture]
public sealed class PlatformTests
{
    private const string Program = """
        using System.Globalization;
        using MoeOffload;

        // Output is ASCII, since Windows's console has another encoding.
        using var model = await MoeModel.LoadAsync(args[0]);
        using var session = model.CreateSession(new ContextOptions { ContextLength = 256 });
        await foreach (var token in session.GenerateAsync(args[1], SamplingOptions.Greedy, maxTokens: int.Parse(args[2], CultureInfo.InvariantCulture)))
        {
            Console.Write($"{token.Id} ");
        }

        Console.WriteLine();
        Console.WriteLine(string.Join(' ', MoeModel.ListDevices().Select(device => device.Kind)));
        """;

    // The packages of this machine's cache are used first; the runtime of the other platform comes from the usual feeds.
    private const string Feeds = """
        <configuration>
          <config>
            <add key="globalPackagesFolder" value="packages" />
          </config>
          <packageSources>
            <add key="ours" value="OURS" />
          </packageSources>
        </configuration>
        """;

    private const string Prompt = "Once upon a time, there was a brave fox";
    private const int Tokens = 40;

    private static IEnumerable<string> Others() => Packages.Platforms.Where(platform => platform != Path.GetFileName(NativeBuild.Directory));

    [TestCaseSource(nameof(Others))]
    public async Task Application_generates_the_same_text_as_on_this_machine(string platform)
    {
        using var folder = new TemporaryDirectory();
        folder.Write("App.csproj", Packages.Application("<TargetFramework>net10.0</TargetFramework><SelfContained>true</SelfContained>"));
        folder.Write("Program.cs", Program);
        folder.Write("NuGet.config", Feeds.Replace("OURS", Packages.Folder, StringComparison.Ordinal));
        PeerResult publish = DotNet.Run(folder.Path, "publish", "-c", "Release", "-r", platform, "-o", "published");
        publish.ExitCode.Should().Be(0, "{0}{1}", publish.Text, publish.Errors);
        string model = folder["größe", "tiny moe.gguf"];
        Directory.CreateDirectory(Path.GetDirectoryName(model)!);
        File.Copy(DemoModel.Path, model);

        using Emulator emulator = Emulator.For(platform);
        string program = folder["published", platform.StartsWith("win-", StringComparison.Ordinal) ? "App.exe" : "App"];
        PeerResult result = emulator.Run(program, model, Prompt, Tokens.ToString(CultureInfo.InvariantCulture));

        result.ExitCode.Should().Be(0, "{0}{1}", result.Text, result.Errors);
        string[] lines = result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        lines[0].Should().Be(await GenerateHereAsync(), "{0}", result.Errors);
        lines[1].Should().Contain("Cpu");
    }

    private static async Task<string> GenerateHereAsync()
    {
        using MoeModel model = await MoeModel.LoadAsync(DemoModel.Path);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 256 });
        List<string> tokens = [];
        await foreach (GeneratedToken token in session.GenerateAsync(Prompt, SamplingOptions.Greedy, Tokens))
        {
            tokens.Add(token.Id.ToString(CultureInfo.InvariantCulture));
        }

        return string.Join(' ', tokens);
    }
}
