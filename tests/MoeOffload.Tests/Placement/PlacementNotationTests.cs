using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Placement;

[TestFixture]
public sealed class PlacementNotationTests
{
    [TestCase("")]
    [TestCase("--cpu-moe")]
    [TestCase("--n-cpu-moe 12")]
    [TestCase("-ot exps=CPU")]
    [TestCase(@"-ot blk\.[0-9]\.=CUDA0,exps=CPU")]
    [TestCase(@"-ot blk\.0\.=CUDA0 --n-cpu-moe 4 -ot output=CPU --cpu-moe")]
    [TestCase(@"-ot x=RPC0[127.0.0.1:50052]")]
    [TestCase(@"-ot a{1,2}[,=](?=b)=CPU")]
    [TestCase("-ot \"a,b=c\"=CPU,\"d \"\"e\"=\"my buffer\"")]
    [TestCase("-ot =CPU")]
    public void Notation_prints_as_it_was_parsed(string text)
    {
        var placement = TensorPlacement.Parse(text);

        placement.ToString().Should().Be(text);
        TensorPlacement.Parse(placement.ToString()).Should().Be(placement);
    }

    [TestCase("-cmoe", "--cpu-moe")]
    [TestCase("-ncmoe 3", "--n-cpu-moe 3")]
    [TestCase("--n-cpu-moe 0", "")]
    [TestCase("  --override-tensor   exps=CPU\n", "-ot exps=CPU")]
    [TestCase("exps=CPU,up=CUDA0", "-ot exps=CPU,up=CUDA0")]
    [TestCase("-ot 'exps=CPU,up=CUDA0'", "-ot exps=CPU,up=CUDA0")]
    [TestCase("-ot \"a b=CPU\" -cmoe", "-ot \"a b\"=CPU --cpu-moe")]
    [TestCase("-ot a=CPU -ot b=CPU", "-ot a=CPU,b=CPU")]
    public void Other_ways_to_write_it_are_read(string text, string printed) =>
        TensorPlacement.Parse(text).ToString().Should().Be(printed);

    [Test]
    public void Rules_keep_the_order_of_the_command_line()
    {
        var placement = TensorPlacement.Parse(@"-ot blk\.0\.=CUDA0 --cpu-moe -ot exps=CUDA1");

        placement.Rules.Select(rule => rule.Buffer).Should().Equal("CUDA0", "CPU", "CUDA1");
    }

    [Test]
    public void Any_rules_print_to_what_parses_to_them()
    {
        string[] parts = ["a", ",", "=", "\"", "'", " ", @"\\", @"\,", "[,]", "(b=)", "a{1,2}", "}", "]", "--cpu-moe", "-ot", "é", "^", "c{2}"];
        var random = new Random(1);
        for (var round = 0; round < 5_000; round++)
        {
            var rules = Enumerable.Range(0, random.Next(1, 4)).Select(_ => new PlacementRule(Text("x"), Text("CPU"))).ToArray();
            var placement = TensorPlacement.FromRules(rules);

            TensorPlacement.Parse(placement.ToString()).Should().Be(placement, "it printed as {0}", placement);
        }

        string Text(string first) => first switch
        {
            "x" when random.Next(2) == 0 => "x" + string.Concat(random.GetItems(parts, random.Next(4))),
            "x" => string.Concat(random.GetItems(parts[..10], random.Next(4))),
            _ => string.Concat(random.GetItems(parts, random.Next(3))) + first,
        };
    }

    [TestCase("-ot", "-ot must be followed by REGEX=BUFFER*")]
    [TestCase("-ot exps", "'exps' is not a placement rule*")]
    [TestCase("exps", "'exps' is not a placement rule*")]
    [TestCase("-ot foo,exps=CPU", "'foo' is not a placement rule*")]
    [TestCase("-ot a=CPU,", "'' is not a placement rule*")]
    [TestCase("-ot a=", "placement rule 1, `a`: does not name a buffer*")]
    [TestCase(@"-ot blk\.(=CPU", @"placement rule 1, `blk\.(`: unbalanced parenthesis*")]
    [TestCase("--cpu-moee", "placement option '--cpu-moee' is unknown*--n-cpu-moe*")]
    [TestCase("--n-cpu-moe", "--n-cpu-moe needs a number*")]
    [TestCase("--n-cpu-moe -1", "--n-cpu-moe needs a number*")]
    [TestCase("--n-cpu-moe 99999999999", "--n-cpu-moe needs a number*")]
    [TestCase("-ncmoe many", "-ncmoe needs a number*'many'")]
    public void What_is_not_notation_is_refused_with_a_reason(string text, string message)
    {
        FluentActions.Invoking(() => TensorPlacement.Parse(text)).Should().Throw<PlacementException>().WithMessage(message);
        TensorPlacement.TryParse(text, out var placement).Should().BeFalse();
        placement.Should().BeNull();
    }

    [Test]
    public void TryParse_takes_what_Parse_takes()
    {
        TensorPlacement.TryParse("--cpu-moe", out var placement).Should().BeTrue();
        placement.Should().Be(TensorPlacement.ExpertsToCpu());
        TensorPlacement.TryParse(null, out _).Should().BeFalse();
    }
}
