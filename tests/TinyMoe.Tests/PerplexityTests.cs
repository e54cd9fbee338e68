using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload;
using MoeOffload.Fixtures;
using NUnit.Framework;
using TinyMoe.World;

namespace TinyMoe.Tests;

[TestFixture]
public sealed partial class PerplexityTests
{
    private const int Window = 512;
    private const double Bound = 0.001;

    [TestCase(false, TestName = "Perplexity on the CPU alone is the perplexity tool's")]
    [TestCase(true, TestName = "Perplexity with experts off the device is the perplexity tool's")]
    public void Perplexity_is_the_tools(bool offload)
    {
        string text = HeldOutText();
        using RpcServer? server = offload ? RpcServer.Start() : null;
        var options = offload
            ? new ModelOptions { RpcServers = [server!.Address], Placement = TensorPlacement.ExpertsToCpu() }
            : new ModelOptions { Devices = [] };

        double expected = ToolPerplexity(text, server is null ? ["-dev", "none"] : ["--rpc", server.Address, "-ngl", "99", "--cpu-moe"]);
        double actual = Perplexity(options, text);

        expected.Should().BeInRange(1, 20, "the text is of the model's own world");
        (actual / expected).Should().BeApproximately(1, Bound);
    }

    [Test]
    public void Text_of_the_world_is_far_less_perplexing_than_the_same_words_shuffled()
    {
        string text = HeldOutText();
        string[] words = text.Split(' ');
        var random = new SplitMix(1);
        string shuffled = string.Join(' ', words.OrderBy(_ => random.Next()));

        Perplexity(new ModelOptions(), shuffled).Should().BeGreaterThan(10 * Perplexity(new ModelOptions(), text));
    }

    private static string HeldOutText()
    {
        var teller = new StoryTeller(new SplitMix(77));
        return string.Join('\n', Enumerable.Range(0, 60).Select(_ => teller.Tell(isHeldOut: true).Text));
    }

    private static double ToolPerplexity(string text, string[] placement)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, text);
            PeerResult result = Peer.Run(
                "llama-perplexity",
                [
                    "-m", DemoModel.Path, "-f", file, "-c", $"{Window}", "-b", $"{Window}", "-ub", $"{Window}", "-t", "2", "-fa", "on", "-fit", "off",
                    "--no-escape", .. placement,
                ]);
            string all = Encoding.UTF8.GetString(result.Output) + result.Errors;
            Match estimate = Estimate().Match(all);
            estimate.Success.Should().BeTrue(all);
            return double.Parse(estimate.Groups[1].Value, CultureInfo.InvariantCulture);
        }
        finally
        {
            File.Delete(file);
        }
    }

    // As the tool has it: windows one after the other, each computed at once, and of each the second half counts.
    private static double Perplexity(ModelOptions options, string text)
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path, options);
        int[] tokens = model.Vocabulary.Tokenize(text);
        using GenerationSession session = model.CreateSession(new ContextOptions
        {
            ContextLength = Window,
            MicroBatchSize = Window,
            FlashAttention = FlashAttention.On,
            LogitsPerStep = Window / 2,
        });
        double sum = 0;
        int count = 0;
        for (int start = 0; start + Window <= tokens.Length; start += Window)
        {
            int[] window = tokens[start..(start + Window)];
            session.ReadLogitsAsync(
                window,
                (position, logits) =>
                {
                    if (position < Window - 1)
                    {
                        sum -= LogSoftmax(logits.ToArray(), window[position + 1]);
                        count++;
                    }
                },
                start: Window / 2).GetAwaiter().GetResult();
        }

        count.Should().BeGreaterThan(2000);
        return Math.Exp(sum / count);
    }

    private static double LogSoftmax(float[] logits, int token)
    {
        double largest = logits.Max();
        return logits[token] - largest - Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
    }

    [GeneratedRegex(@"Final estimate: PPL = ([\d.]+)")]
    private static partial Regex Estimate();
}
