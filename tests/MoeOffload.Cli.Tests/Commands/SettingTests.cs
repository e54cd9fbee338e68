using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>Command line, environment and configuration file, as a user meets them.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SettingTests : IDisposable
{
    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Command_line_comes_before_environment_before_file()
    {
        _moe.Home.Write("config/moe/config.json", """
            {
                // comments are allowed
                "ctx-size": 512,
                "generate": { "max-tokens": 3, "ignore-eos": true },
            }
            """);

        Generated().Should().Be(3);
        _moe.Environment["MOE_MAX_TOKENS"] = "4";
        Generated().Should().Be(4);
        Generated("-n", "5").Should().Be(5);
    }

    [Test]
    public void Model_may_come_from_shimmys_variable()
    {
        _moe.Environment["SHIMMY_BASE_GGUF"] = DemoModel.Path;

        _moe.Run("probe", "-c", "256").Output.Should().StartWith("ok: loaded tiny-moe");
    }

    [Test]
    public void Wrong_value_of_a_variable_is_an_error_that_names_the_variable()
    {
        _moe.Environment["MOE_CTX_SIZE"] = "many";

        MoeResult result = _moe.Run("probe", DemoModel.Path);

        result.Code.Should().Be(64);
        result.Errors.Should().Contain("--ctx-size is 'many'").And.Contain("MOE_CTX_SIZE");
    }

    [TestCase("""{"ctx-sise": 1}""", "'ctx-sise' is not an option")]
    [TestCase("""{"probe": {"bind": "auto"}}""", "'probe.bind' is not an option")]
    [TestCase("""{"ctx-size": {}}""", "'ctx-size' must be")]
    [TestCase("[]", "must be a JSON object")]
    [TestCase("{", "is not valid JSON")]
    public void Wrong_configuration_file_is_an_error_that_names_the_key(string content, string message)
    {
        string path = _moe.Home.Write("other.json", content);

        MoeResult result = _moe.Run("probe", DemoModel.Path, "--config", path);

        result.Code.Should().Be(64);
        result.Errors.Should().Contain(path).And.Contain(message);
    }

    [Test]
    public void Help_works_with_a_wrong_configuration_file()
    {
        _moe.Home.Write("config/moe/config.json", "{");

        MoeResult result = _moe.Run("serve", "--help");

        result.Code.Should().Be(0);
        result.Output.Should().Contain("--n-cpu-moe").And.Contain("--bind");
    }

    [TestCase("--temprature", "Did you mean '--temperature'?")]
    [TestCase("--temprature=0.5", "'--temprature' is not an option. Did you mean '--temperature'?")]
    [TestCase("--something-else", "'--something-else' is not an option. To pass")]
    public void Mistyped_option_does_not_become_a_prompt(string option, string message)
    {
        MoeResult result = _moe.Run("run", DemoModel.Path, "Hi", option);

        result.Code.Should().Be(64);
        result.Errors.Should().Contain(message).And.Contain("moe run --help");
    }

    [TestCase("--", "--temprature")]
    [TestCase("-5 + 3")]
    [TestCase("- a list")]
    public void Prompt_can_begin_with_dashes(params string[] prompt)
    {
        MoeResult result = _moe.Run(["run", DemoModel.Path, "-n", "2", "-c", "256", .. prompt]);

        result.Code.Should().Be(0, result.Errors);
    }

    [TestCase("--unknown")]
    [TestCase("--ctx-size", "-5")]
    [TestCase("--cpu-moe", "--n-cpu-moe", "3")]
    [TestCase("--cache-type-k", "q9_9")]
    [TestCase("--seed", "-2")]
    public void Wrong_command_line_ends_with_64_and_one_line(params string[] arguments)
    {
        MoeResult result = _moe.Run(["generate", DemoModel.Path, "--prompt", "x", .. arguments]);

        result.Code.Should().Be(64);
        result.Errors.Trim().Should().StartWith("error: ").And.NotContain("\n").And.Contain("moe generate --help");
    }

    [Test]
    public void Option_of_the_command_line_replaces_its_opposite_in_the_environment()
    {
        _moe.Environment["MOE_CPU_MOE"] = "1";

        _moe.Run("probe", DemoModel.Path, "--n-cpu-moe", "2", "-c", "256").Code.Should().Be(0);
    }

    [TestCase("bash")]
    [TestCase("zsh")]
    [TestCase("fish")]
    [TestCase("pwsh")]
    public void Completion_script_asks_the_command(string shell) => _moe.Run("completion", shell).Output.Should().Contain("[suggest:");

    [Test]
    public void Completions_are_commands_options_and_models()
    {
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(_moe.Home["models"]).FullName, "demo.gguf"), DemoModel.Path);

        _moe.Run("[suggest:6]", "moe pr").Output.Should().Contain("probe");
        _moe.Run("[suggest:10]", "moe probe ").Output.Should().Contain("demo");
        _moe.Run("[suggest:17]", "moe probe --n-cpu").Output.Should().Contain("--n-cpu-moe");
    }

    [Test]
    public void Completions_are_words_that_are_accepted()
    {
        string types = _moe.Run("[suggest:25]", "moe probe --cache-type-k ").Output;
        types.Should().Contain("q8_0").And.NotContain("Q8_0").And.NotContain("q2_K");
        _moe.Run("[suggest:10]", "moe probe ").Output.Split('\n').Should().NotContain("/?").And.NotContain("/h");
    }

    [Test]
    public void Help_names_the_argument_and_not_the_models()
    {
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(_moe.Home["models"]).FullName, "demo.gguf"), DemoModel.Path);

        string help = _moe.Run("help", "probe").Output;

        help.Should().Be(_moe.Run("probe", "--help").Output).And.Contain("<NAME>").And.NotContain("demo");
    }

    [TestCase("help", "--help")]
    [TestCase("version", "--version")]
    public void Word_is_understood_as_the_option(string word, string option) =>
        _moe.Run(word).Should().Be(_moe.Run(option)).And.Match<MoeResult>(result => result.Code == 0 && result.Output.Length > 0);

    [TestCase("probe", "--cpu-moe --gpu-backend --native-dir --model-dirs", "")]
    [TestCase("list", "--model-dirs", "--cpu-moe --n-cpu-moe --gpu-backend --native-dir")]
    [TestCase("pull", "--config", "--cpu-moe --n-cpu-moe --gpu-backend --native-dir --model-dirs")]
    [TestCase("completion", "--verbose", "--cpu-moe --gpu-backend --model-dirs")]
    public void Help_has_only_options_that_have_an_effect(string command, string shown, string hidden)
    {
        string help = _moe.Run(command, "--help").Output;

        help.Should().ContainAll(shown.Split(' '));
        help.Should().NotContainAny(hidden.Split(' ', StringSplitOptions.RemoveEmptyEntries).DefaultIfEmpty("no such option"));
    }

    private int Generated(params string[] arguments) =>
        _moe.Report(["generate", DemoModel.Path, "--prompt", "Once upon a time", .. arguments])["generated_tokens"]!.GetValue<int>();
}
