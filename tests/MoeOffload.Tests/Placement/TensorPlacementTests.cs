using FluentAssertions;
using MoeOffload.Placement;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class TensorPlacementTests
{
    private static readonly string[] s_expertNames =
    [
        "blk.0.ffn_up_exps.weight", "blk.11.ffn_down_exps.bias", "blk.3.ffn_gate_up_exps.weight", "blk.7.ffn_gate_chexps.weight",
    ];

    private static readonly string[] s_otherNames =
    [
        "token_embd.weight", "blk.0.attn_q.weight", "blk.0.ffn_gate_inp.weight", "blk.2.ffn_up_shexp.weight", "blk.2.ffn_up.weight",
    ];

    [Test]
    public void Default_placement_decides_about_no_tensor()
    {
        TensorPlacement.Default.Rules.Should().BeEmpty();
        s_expertNames.Select(TensorPlacement.Default.RuleFor).Should().OnlyContain(rule => rule == null);
    }

    [Test]
    public void Experts_to_cpu_takes_expert_tensors_and_no_others()
    {
        var placement = TensorPlacement.ExpertsToCpu();

        s_expertNames.Select(placement.RuleFor).Should().OnlyContain(rule => rule == 0);
        s_otherNames.Select(placement.RuleFor).Should().OnlyContain(rule => rule == null);
    }

    [Test]
    public void Expert_names_are_found_without_a_pattern_as_with_it()
    {
        s_expertNames.Should().OnlyContain(name => ExpertTensors.IsExpert(name));
        s_otherNames.Should().NotContain(name => ExpertTensors.IsExpert(name));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(7)]
    [TestCase(10)]
    [TestCase(11)]
    [TestCase(46)]
    [TestCase(100)]
    [TestCase(121)]
    [TestCase(512)]
    public void Experts_of_first_layers_take_those_layers_and_no_others(int count)
    {
        var placement = TensorPlacement.ExpertsToCpu(firstLayers: count);

        for (var layer = 0; layer < 530; layer++)
        {
            placement.RuleFor($"blk.{layer}.ffn_up_exps.weight").Should().Be(layer < count ? 0 : null, "layer {0}", layer);
        }

        placement.Rules.Count.Should().Be(count == 0 ? 0 : 1);
    }

    [Test]
    public void Experts_of_chosen_layers_take_those_layers_and_no_others()
    {
        int[] layers = [3, 30, 31, 5, 99, 100, 101, 250, 3];
        var placement = TensorPlacement.ExpertsToCpu(layers);

        for (var layer = 0; layer < 300; layer++)
        {
            placement.RuleFor($"blk.{layer}.ffn_down_exps.weight").Should().Be(layers.Contains(layer) ? 0 : null, "layer {0}", layer);
        }
    }

    [Test]
    public void First_layers_pattern_stays_short()
    {
        TensorPlacement.ExpertsToCpu(firstLayers: 46).Rules[0].Pattern
            .Should().Be(@"blk\.([0-9]|[1-3][0-9]|4[0-5])\.ffn_(up|down|gate|gate_up)_(ch|)exps");
    }

    [TestCase(-1)]
    [TestCase(513)]
    public void First_layers_out_of_range_are_refused(int count)
    {
        var act = () => TensorPlacement.ExpertsToCpu(count);

        act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("firstLayers");
    }

    [TestCase(-1)]
    [TestCase(512)]
    public void Layer_numbers_out_of_range_are_refused(int layer)
    {
        var act = () => TensorPlacement.ExpertsToCpu([1, layer]);

        act.Should().Throw<ArgumentOutOfRangeException>().WithParameterName("layers");
    }

    [Test]
    public void The_first_rule_that_matches_decides()
    {
        var general = new PlacementRule("exps", "CPU");
        var special = new PlacementRule(@"blk\.0\.", "CUDA0");

        TensorPlacement.FromRules(special, general).RuleFor("blk.0.ffn_up_exps.weight").Should().Be(0);
        TensorPlacement.FromRules(general, special).RuleFor("blk.0.ffn_up_exps.weight").Should().Be(0);
        TensorPlacement.FromRules(special, general).RuleFor("blk.1.ffn_up_exps.weight").Should().Be(1);
    }

    [Test]
    public void Adding_rules_keeps_their_order()
    {
        var placement = TensorPlacement.Default.With("a", "CPU").Then(TensorPlacement.ExpertsToCpu()).With(new PlacementRule("b", "CUDA0"));

        placement.Rules.Select(rule => rule.Pattern).Should().Equal("a", TensorPlacement.ExpertPattern, "b");
    }

    [Test]
    public void Placements_with_equal_rules_are_equal()
    {
        var one = TensorPlacement.Default.With("a", "CPU").With("b", "CPU");
        var same = TensorPlacement.Parse("-ot a=CPU,b=CPU");
        var turned = TensorPlacement.Default.With("b", "CPU").With("a", "CPU");

        one.Should().Be(same);
        one.GetHashCode().Should().Be(same.GetHashCode());
        one.Should().NotBe(turned);
        one.Equals(null).Should().BeFalse();
    }

    [Test]
    public void A_malformed_pattern_is_refused_with_rule_and_place()
    {
        var act = () => TensorPlacement.Default.With("ok", "CPU").With(@"blk\.(", "CPU");

        act.Should().Throw<PlacementException>()
            .WithMessage(@"placement rule 2, `blk\.(`: unbalanced parenthesis*");
    }

    [TestCase("")]
    [TestCase("  ")]
    [TestCase("CPU\n")]
    [TestCase("CPU\0")]
    public void A_buffer_without_a_proper_name_is_refused(string buffer)
    {
        var act = () => TensorPlacement.Default.With("exps", buffer);

        act.Should().Throw<PlacementException>().WithMessage("placement rule 1, `exps`: *buffer*");
    }

    [Test]
    public void Null_rules_and_patterns_are_refused()
    {
        FluentActions.Invoking(() => TensorPlacement.FromRules([null!])).Should().Throw<PlacementException>();
        FluentActions.Invoking(() => TensorPlacement.Default.With(null!, "CPU")).Should().Throw<PlacementException>();
        FluentActions.Invoking(() => TensorPlacement.Default.With("a", null!)).Should().Throw<PlacementException>();
    }

    [Test]
    public void More_rules_than_llama_cpp_takes_are_refused()
    {
        var act = () => TensorPlacement.FromRules(Enumerable.Repeat(new PlacementRule("a", "CPU"), 4096));

        act.Should().Throw<PlacementException>().WithMessage("4096 placement rules*");
    }

    [Test]
    public void A_pattern_that_takes_too_long_is_refused()
    {
        var placement = TensorPlacement.Default.With("(([a-z_.]+)+)+[A-Z]", "CPU");

        FluentActions.Invoking(() => placement.RuleFor("blk.10.ffn_gate_up_exps.weight"))
            .Should().Throw<PlacementException>().WithMessage("placement rule 1, *takes too long*");
    }
}
