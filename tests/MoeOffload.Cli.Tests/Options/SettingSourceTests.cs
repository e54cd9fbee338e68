using System.CommandLine;
using FluentAssertions;
using MoeOffload.Cli.Errors;
using MoeOffload.Cli.Options;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Options;

/// <summary>Which of command line, environment and file decides, also where options exclude each other.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SettingSourceTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, string> _variables = [];
    private readonly GlobalOptions _global = new();
    private readonly RootCommand _root;

    public SettingSourceTests() => _root = MoeCommand.Build(_global, (command, _) => command.SetAction((_, _) => Task.FromResult(0)));

    public void Dispose() => _directory.Dispose();

    [Test]
    public void Options_that_exclude_each_other_are_taken_from_one_source()
    {
        File("""{"cpu-moe": true}""");

        Parse().GetValue(_global.CpuMoe).Should().BeTrue();
        _variables["MOE_N_CPU_MOE"] = "7";
        Parse().GetValue(_global.CpuMoe).Should().BeFalse();
        Parse().GetValue(_global.LayersCpuMoe).Should().Be(7);
        Parse("--cpu-moe").GetValue(_global.LayersCpuMoe).Should().BeNull();
    }

    [Test]
    public void Flag_that_is_off_hides_what_later_sources_say_of_it_alone()
    {
        File("""{"cpu-moe": true, "n-cpu-moe": 3}""");
        _variables["MOE_CPU_MOE"] = "off";

        Parse().GetValue(_global.CpuMoe).Should().BeFalse();
        Parse().GetValue(_global.LayersCpuMoe).Should().Be(3);
    }

    [Test]
    public void One_source_that_contradicts_itself_is_an_error()
    {
        _variables["MOE_CPU_MOE"] = "1";
        _variables["MOE_N_CPU_MOE"] = "3";

        FluentActions.Invoking(() => Parse()).Should().Throw<UsageException>().WithMessage("*cannot be combined*");
    }

    [TestCase("1", true)]
    [TestCase("YES", true)]
    [TestCase("on", true)]
    [TestCase("true", true)]
    [TestCase("0", false)]
    [TestCase("No", false)]
    public void Flags_have_several_words(string text, bool expected)
    {
        _variables["MOE_VERBOSE"] = text;

        Parse().GetValue(_global.Verbose).Should().Be(expected);
    }

    [Test]
    public void Every_option_has_a_variable_of_its_own()
    {
        foreach (Command command in _root.Subcommands.SelectMany(command => command.Subcommands.Prepend(command)))
        {
            Settings.SettingSources.OptionsOf(command, _root).Select(Settings.SettingSources.VariableOf)
                .Should().OnlyHaveUniqueItems().And.OnlyContain(name => name.StartsWith("MOE_"));
            Settings.SettingSources.OptionsOf(command, _root).SelectMany(option => option.Aliases.Append(option.Name))
                .Should().OnlyHaveUniqueItems("of {0}", command.Name);
        }
    }

    private void File(string content) => _variables["MOE_CONFIG"] = _directory.Write("config.json", content);

    private ParseResult Parse(params string[] words) => MoeCommand.Parse(_root, ["list", .. words], _variables.GetValueOrDefault);
}
