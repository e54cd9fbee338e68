using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Sampling;

[TestFixture]
public sealed class SamplingOptionsTests
{
    private static IEnumerable<SamplingOptions> Sound =>
    [
        new(),
        SamplingOptions.Greedy,
        new() { Temperature = 100, TopK = int.MaxValue, TopP = 0, MinP = 1, TypicalP = 0, TopNSigma = 1000, MinKeep = int.MaxValue },
        new() { Penalties = new() { LastTokens = 1 << 20, Repeat = 1.1f, Frequency = -2, Presence = 2 } },
        new() { Dry = new() { Multiplier = 0.8f, SequenceBreakers = [] }, Xtc = new() { Probability = 0.5f } },
        new() { Mirostat = new() { Version = 1 }, Seed = 0 },
        new() { AdaptiveP = new(0.5f), Infill = true, IgnoreEndOfSequence = true },
        new() { LogitBias = new Dictionary<int, float> { [0] = 100_000, [7] = float.NegativeInfinity } },
        new() { Samplers = [new TopKSampler(1), new GreedySampler()], TopLogProbabilities = 0 },
        new() { Grammar = "answer ::= \"yes\" | \"no\"", GrammarRoot = "answer" },
    ];

    private static IEnumerable<TestCaseData> Wrong
    {
        get
        {
            foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, -0.1f, 1e9f })
            {
                yield return Case(new() { Temperature = value }, "Temperature is * 0 to 100*");
                yield return Case(new() { TopP = value }, "TopP is * 0 to 1:*");
                yield return Case(new() { MinP = value }, "MinP is * 0 to 1:*");
                yield return Case(new() { TypicalP = value }, "TypicalP is *");
                yield return Case(new() { TopNSigma = value }, "TopNSigma is *");
                yield return Case(new() { DynamicTemperatureRange = value }, "DynamicTemperatureRange is *");
                yield return Case(new() { DynamicTemperatureExponent = value }, "DynamicTemperatureExponent is *");
                yield return Case(new() { Penalties = new() { Repeat = value } }, "Penalties.Repeat is *");
                yield return Case(new() { Dry = new() { Multiplier = value } }, "Dry.Multiplier is *");
                yield return Case(new() { Dry = new() { Multiplier = 1, Base = value } }, "Dry.Base is *");
                yield return Case(new() { Xtc = new() { Probability = value } }, "Xtc.Probability is *");
                yield return Case(new() { Xtc = new() { Probability = 1, Threshold = value } }, "Xtc.Threshold is *");
                yield return Case(new() { Mirostat = new() { TargetEntropy = value } }, "Mirostat.TargetEntropy is *");
                yield return Case(new() { Mirostat = new() { LearningRate = value } }, "Mirostat.LearningRate is *");
                yield return Case(new() { AdaptiveP = new(value) }, "AdaptiveP.Target is *");
                yield return Case(new() { AdaptiveP = new(1) { Decay = value } }, "AdaptiveP.Decay is *");
            }

            foreach (var value in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity, -101, 101 })
            {
                yield return Case(new() { Penalties = new() { Frequency = value } }, "Penalties.Frequency is *");
                yield return Case(new() { Penalties = new() { Presence = value } }, "Penalties.Presence is *");
            }

            foreach (var value in new[] { float.NaN, float.PositiveInfinity, 100_001, -100_001 })
            {
                yield return Case(new() { LogitBias = new Dictionary<int, float> { [5] = value } }, "LogitBias[5] is *");
            }

            yield return Case(new() { Temperature = 1e-30f }, "Temperature is so small*0.000001*");
            yield return Case(new() { TopK = -1 }, "TopK is -1; it must be 0 to *");
            yield return Case(new() { MinKeep = -1 }, "MinKeep is -1*");
            yield return Case(new() { Penalties = new() { LastTokens = -1, Repeat = 2 } }, "Penalties.LastTokens is -1*");
            yield return Case(new() { Penalties = new() { LastTokens = int.MaxValue, Repeat = 2 } }, "Penalties.LastTokens is 2147483647*1048576*");
            yield return Case(new() { Dry = new() { Multiplier = 1, LastTokens = int.MaxValue } }, "Dry.LastTokens is *");
            yield return Case(new() { Dry = new() { Multiplier = 1, AllowedLength = -1 } }, "Dry.AllowedLength is -1*");
            yield return Case(new() { Dry = new() { Multiplier = 1, SequenceBreakers = [""] } }, "Dry.SequenceBreakers contains ''*1 to 40 bytes*");
            yield return Case(new() { Dry = new() { Multiplier = 1, SequenceBreakers = ["a\0"] } }, "Dry.SequenceBreakers contains *");
            yield return Case(new() { Dry = new() { Multiplier = 1, SequenceBreakers = [new string('é', 21)] } }, "Dry.SequenceBreakers contains *");
            yield return Case(new() { Dry = new() { Multiplier = 1, SequenceBreakers = [.. Enumerable.Repeat("a", 257)] } }, "Dry.SequenceBreakers.Count is 257*");
            yield return Case(new() { Mirostat = new() { Version = 3 } }, "Mirostat.Version is 3*");
            yield return Case(new() { Mirostat = new() { EstimateTokens = 1 } }, "Mirostat.EstimateTokens is 1*");
            yield return Case(new() { Mirostat = new(), Dry = new() }, "Dry is set together with Mirostat*");
            yield return Case(new() { Mirostat = new(), TopNSigma = 1 }, "TopNSigma is set together with Mirostat*");
            yield return Case(new() { Seed = uint.MaxValue }, "Seed is 4294967295*null*");
            yield return Case(new() { Xtc = new() { Probability = 1, Seed = uint.MaxValue } }, "Xtc.Seed is 4294967295*");
            yield return Case(new() { LogitBias = new Dictionary<int, float> { [-1] = 1 } }, "LogitBias token is -1*");
            yield return Case(new() { TopLogProbabilities = -1 }, "TopLogProbabilities is -1*");
            yield return Case(new() { TopLogProbabilities = 1001 }, "TopLogProbabilities is 1001*");
            yield return Case(new() { Samplers = [] }, "Samplers is empty*");
            yield return Case(new() { Samplers = [null!] }, "Samplers[0] is null*");
            yield return Case(new() { Samplers = [new TopKSampler(1)] }, "Samplers[0], top-k, ends the chain without selecting*greedy*");
            yield return Case(new() { Samplers = [new GreedySampler(), new DistributionSampler()] }, "Samplers[0], greedy, selects a token before the chain's end*");
            yield return Case(new() { Samplers = [new TopPSampler(2), new GreedySampler()] }, "TopP is 2*");
            yield return Case(new() { Grammar = "root ::= (\"a\"" }, "Grammar: line 1, column 10: *not closed*");
            yield return Case(new() { Grammar = "root ::= \"a\"", GrammarRoot = "other" }, "Grammar: it has no rule 'other'*");
            yield return Case(new() { Grammar = "" }, "Grammar: it has no rule 'root'*");

            static TestCaseData Case(SamplingOptions options, string message) =>
                new TestCaseData(options, message).SetArgDisplayNames(message);
        }
    }

    [Test]
    public void Defaults_are_those_of_llama_cpp()
    {
        var options = new SamplingOptions();

        (options.Temperature, options.TopK, options.TopP, options.MinP, options.TypicalP).Should().Be((0.8f, 40, 0.95f, 0.05f, 1f));
        new PenaltiesSampler().Should().Be(new PenaltiesSampler { LastTokens = 64, Repeat = 1, Frequency = 0, Presence = 0 });
        new DrySampler().Should().BeEquivalentTo(new { Multiplier = 0f, Base = 1.75f, AllowedLength = 2, LastTokens = 64 });
        new DrySampler().SequenceBreakers.Should().Equal("\n", ":", "\"", "*");
        new XtcSampler().Should().Be(new XtcSampler { Probability = 0, Threshold = 0.1f });
        new MirostatSampler().Should().BeEquivalentTo(new { TargetEntropy = 5f, LearningRate = 0.1f, EstimateTokens = 100 });
        new AdaptivePSampler(0.5f).Decay.Should().Be(0.9f);
    }

    [Test]
    public void Sound_options_are_taken()
    {
        foreach (var options in Sound)
        {
            options.Invoking(o => o.Validate()).Should().NotThrow("{0} is sound", options);
        }
    }

    [TestCaseSource(nameof(Wrong))]
    public void Wrong_options_are_refused_with_name_range_and_remedy(SamplingOptions options, string message) =>
        options.Invoking(o => o.Validate()).Should().Throw<ArgumentException>().WithMessage(message);

    [Test]
    public void A_bias_for_a_token_outside_the_vocabulary_is_refused()
    {
        var options = new SamplingOptions { LogitBias = new Dictionary<int, float> { [99] = 1 } };

        options.Invoking(o => o.ValidateFor(100)).Should().NotThrow();
        options.Invoking(o => o.ValidateFor(99)).Should().Throw<ArgumentOutOfRangeException>().WithMessage("LogitBias token is 99*0 to 98*");
    }
}
