using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>
/// With each build of the CPU backend that is here and runs on this machine, alone: the text of the tiny models does not repeat itself.
/// Which builds there are decides ./build.sh: one, two or every one of the architecture.
/// </summary>
[TestFixture]
[Platform("Linux")]
public sealed class CpuVariantTests
{
    // More letters than any three words have.
    private const int Window = 40;

    private static IEnumerable<TestCaseData> Cases() =>
        from variant in Directory.EnumerateFiles(NativeBuild.Directory, "libmoe-ggml-cpu*.so").Order(StringComparer.Ordinal)
        from model in (TinyModel[])
        [
            TinyModels.Qwen3Moe(),
            TinyModels.DeepSeek(new TinyModelOptions { WeightType = GgmlType.Q4_0 }),
            TinyModels.GptOss(new TinyModelOptions { WeightType = GgmlType.MXFP4 }),
        ]
        select new TestCaseData(variant, model).SetArgDisplayNames(Path.GetFileName(variant), model.Name);

    [TestCaseSource(nameof(Cases))]
    public void Text_does_not_repeat_itself(string variant, TinyModel model)
    {
        using var moe = new Moe();
        string libraries = moe.Home["libraries"];
        Directory.CreateDirectory(libraries);
        foreach (string file in Directory.EnumerateFiles(NativeBuild.Directory, "libmoe-*"))
        {
            if (file == variant || !Path.GetFileName(file).StartsWith("libmoe-ggml-cpu", StringComparison.Ordinal))
            {
                File.CreateSymbolicLink(Path.Combine(libraries, Path.GetFileName(file)), file);
            }
        }

        MoeResult result = moe.Run(
            "generate", model.Path, "--native-dir", libraries, "--prompt", "To be or not", "--temp", "0", "-n", "64", "-c", "256", "--json");
        if (result.Code != 0 && result.ToString().Contains("No CPU backend for this machine", StringComparison.Ordinal))
        {
            Path.GetFileName(variant).Should().NotContain("cpu-x64", "every machine runs that one");
            return;
        }

        result.Code.Should().Be(0, result.ToString());
        string text = (string)JsonNode.Parse(result.Output)!["response"]!;
        text.Length.Should().BeGreaterThan(2 * Window);
        string[] windows = [.. Enumerable.Range(0, text.Length - Window).Select(start => text.Substring(start, Window))];
        windows.Should().OnlyHaveUniqueItems();
    }
}
