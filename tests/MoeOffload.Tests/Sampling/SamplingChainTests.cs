using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Sampling;

[TestFixture]
public sealed class SamplingChainTests
{
    [Test]
    public void Default_chain_is_that_of_llama_cpp()
    {
        Chain(new()).Should().Equal(
            new TopKSampler(40),
            new TopPSampler(0.95f),
            new MinPSampler(0.05f),
            new TemperatureSampler(0.8f),
            new DistributionSampler());
    }

    [Test]
    public void All_samplers_come_in_the_order_of_llama_cpp()
    {
        var options = new SamplingOptions
        {
            LogitBias = new Dictionary<int, float> { [3] = 1 },
            Penalties = new() { Repeat = 1.1f },
            Dry = new() { Multiplier = 0.8f },
            TopNSigma = 2,
            TypicalP = 0.9f,
            Xtc = new() { Probability = 0.1f },
            Infill = true,
            AdaptiveP = new(0.5f),
        };

        Names(options).Should().Equal(
            "logit-bias", "penalties", "dry", "top-n-sigma", "top-k", "typical", "top-p", "min-p", "xtc", "infill", "temp-ext", "adaptive-p");
    }

    [Test]
    public void Samplers_that_are_off_are_left_out()
    {
        var options = new SamplingOptions
        {
            TopK = 0,
            TopP = 1,
            MinP = 0,
            Temperature = 1,
            Penalties = new(),
            Dry = new(),
            Xtc = new() { Probability = 1, Threshold = 0.6f },
        };

        Names(options).Should().Equal("dist");
    }

    [Test]
    public void Greedy_takes_the_most_probable_and_can_be_extended()
    {
        Chain(SamplingOptions.Greedy).Should().Equal(new TemperatureSampler(0), new DistributionSampler());
        Names(SamplingOptions.Greedy with { Penalties = new() { Repeat = 1.1f } }).Should().Equal("penalties", "temp-ext", "dist");
    }

    [TestCase(1, "mirostat")]
    [TestCase(2, "mirostat-v2")]
    public void Mirostat_follows_the_temperature_alone(int version, string name)
    {
        Names(new() { Mirostat = new() { Version = version } }).Should().Equal("temp-ext", name);
    }

    [Test]
    public void A_moving_temperature_is_one_step_of_the_chain()
    {
        var options = new SamplingOptions { DynamicTemperatureRange = 0.5f, DynamicTemperatureExponent = 2 };

        Chain(options).Should().Contain(new TemperatureSampler(0.8f) { DynamicRange = 0.5f, DynamicExponent = 2 });
    }

    [Test]
    public void The_least_number_to_keep_goes_to_all_samplers_that_have_one()
    {
        var options = new SamplingOptions { MinKeep = 3, TypicalP = 0.5f, Xtc = new() { Probability = 1 } };

        Chain(options).Should().Contain(
        [
            new TypicalPSampler(0.5f, 3),
            new TopPSampler(0.95f, 3),
            new MinPSampler(0.05f, 3),
            new XtcSampler { Probability = 1, MinKeep = 3 },
        ]);
        Chain(options with { Xtc = new() { Probability = 1, MinKeep = 2 } })
            .Should().Contain(new XtcSampler { Probability = 1, MinKeep = 2 });
    }

    [Test]
    public void The_seed_goes_to_samplers_without_one_of_their_own()
    {
        var options = new SamplingOptions { Seed = 7, Xtc = new() { Probability = 1, Seed = 9 } };

        Chain(options).OfType<XtcSampler>().Single().Seed.Should().Be(9);
        Chain(options).OfType<DistributionSampler>().Single().Seed.Should().Be(7);
        Chain(new() { Samplers = [new DistributionSampler(5)], Seed = 7 }).Should().Equal(new DistributionSampler(5));
        Chain(new() { Mirostat = new(), Seed = 7 }).OfType<MirostatSampler>().Single().Seed.Should().Be(7);
        Chain(new() { AdaptiveP = new(0.5f), Seed = 7 }).OfType<AdaptivePSampler>().Single().Seed.Should().Be(7);
    }

    [Test]
    public void An_explicit_chain_is_not_changed()
    {
        Sampler[] samplers = [new MinPSampler(0), new TemperatureSampler(1), new TopKSampler(3), new GreedySampler()];

        Chain(new() { Samplers = samplers, Temperature = 0.1f }).Should().Equal(samplers);
    }

    [Test]
    public void Bias_comes_first_whatever_the_chain()
    {
        var options = new SamplingOptions { LogitBias = new Dictionary<int, float> { [3] = 1 }, Samplers = [new GreedySampler()] };

        Names(options).Should().Equal("logit-bias", "greedy");
    }

    [Test]
    public void Tokens_to_ignore_and_to_suppress_are_banned()
    {
        var options = new SamplingOptions { LogitBias = new Dictionary<int, float> { [1] = 5, [3] = 1 } };

        Banned(options).Should().Equal(9);
        Banned(options with { IgnoreEndOfSequence = true }).Should().Equal(1, 2, 9);

        static IEnumerable<int> Banned(SamplingOptions options) =>
            options.BuildChain([1, 2], [9]).OfType<LogitBiasSampler>().Single().Biases
                .Where(bias => float.IsNegativeInfinity(bias.Value)).Select(bias => bias.Key).Order();
    }

    private static IReadOnlyList<Sampler> Chain(SamplingOptions options) => options.BuildChain([], []);

    private static IEnumerable<string> Names(SamplingOptions options) => Chain(options).Select(sampler => sampler.Name);
}
