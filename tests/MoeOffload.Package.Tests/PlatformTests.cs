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

        using var model = await MoeModel.LoadAsync(args[0]);
        using var session = model.CreateSession(new ContextOptions { ContextLength = 256 });
        var sampling = SamplingOptions.Greedy with { TopLogProbabilities = 1 };
        await foreach (var token in session.GenerateAsync(args[1], sampling, maxTokens: int.Parse(args[2], CultureInfo.InvariantCulture)))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{token.Id} {token.TopLogProbabilities[0].LogProbability}"));
        }
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

    // Other instructions round in another way, so the texts can part where the best two tokens are about equally likely.
    private const float Rounding = 0.02f;
    private const float UnclearChoice = 0.15f;

    private const string Prompt = "Once upon a time, there was a brave fox";
    private const int Tokens = 40;

    private static IEnumerable<string> Others() => Packages.Platforms.Where(platform => platform != Path.GetFileName(NativeBuild.Directory));

    [TestCaseSource(nameof(Others))]
    public async Task Application_generates_the_same_text_as_on_this_machine_where_the_choice_is_clear(string platform)
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
        (int Token, float LogProbability)[] there =
        [
            .. result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(static line => line.Split(' '))
                .Select(static words => (int.Parse(words[0], CultureInfo.InvariantCulture), float.Parse(words[1], CultureInfo.InvariantCulture))),
        ];
        List<GeneratedToken> here = await GenerateHereAsync();
        there.Should().HaveSameCount(here, "{0}", result.Errors);
        int common = there.TakeWhile((token, index) => token.Token == here[index].Id).Count();
        TestContext.Out.WriteLine($"{platform}: {common} of {here.Count} tokens are the same");
        float[] differences = [.. there.Take(common).Select((token, index) => Math.Abs(token.LogProbability - here[index].TopLogProbabilities[0].LogProbability)).Order()];
        differences.Should().NotBeEmpty();
        differences[common / 2].Should().BeLessThan(Rounding);
        if (common < here.Count)
        {
            IReadOnlyList<TokenProbability> best = here[common].TopLogProbabilities;
            (best[0].LogProbability - best[1].LogProbability).Should().BeLessThan(UnclearChoice);
            there[common].Token.Should().Be(best[1].Token);
        }
    }

    private static async Task<List<GeneratedToken>> GenerateHereAsync()
    {
        using MoeModel model = await MoeModel.LoadAsync(DemoModel.Path);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 256 });
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in session.GenerateAsync(Prompt, SamplingOptions.Greedy with { TopLogProbabilities = 2 }, Tokens))
        {
            tokens.Add(token);
        }

        return tokens;
    }
}
