using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>The commands that answer.</summary>
[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class AnswerCommandTests : IDisposable
{
    private const int Interrupt = 2;

    private readonly Moe _moe = new();

    public void Dispose() => _moe.Dispose();

    [Test]
    public void Generate_continues_a_prompt_as_the_library_does()
    {
        string expected = Continue("Once upon a time", 24);

        MoeResult result = _moe.Run("generate", DemoModel.Path, "--prompt", "Once upon a time", "--temp", "0", "--max-tokens", "24", "-c", "512");

        result.Should().Be(new MoeResult(0, expected, string.Empty));
    }

    [TestCase("ngram-simple", 0, @"\A\z")]
    [TestCase("draft-mtp", 2, "multi-token prediction")]
    public void Generate_guesses_where_the_model_can_and_says_the_same(string type, int code, string error)
    {
        MoeResult result = _moe.Run("generate", DemoModel.Path, "--prompt", "Once upon a time", "--temp", "0", "-n", "24", "-c", "512", "--spec-type", type);

        result.Code.Should().Be(code);
        result.Output.Should().Be(code == 0 ? Continue("Once upon a time", 24) : string.Empty);
        result.Errors.Should().MatchRegex(error);
    }

    [Test]
    public void Generate_reads_its_prompt_from_a_pipe_and_from_a_file()
    {
        string expected = Continue("Once upon a time", 12);
        string file = _moe.Home.Write("prompt.txt", "Once upon a time");

        _moe.Run("Once upon a time", ["generate", DemoModel.Path, "--temp", "0", "-n", "12", "-c", "512"]).Output.Should().Be(expected);
        _moe.Run("generate", DemoModel.Path, "--file", file, "--temp", "0", "-n", "12", "-c", "512").Output.Should().Be(expected);
    }

    [Test]
    public void Run_shows_images_to_a_model_that_reads_them()
    {
        TinyModel model = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 });
        string image = Path.Combine(_moe.Home.Path, "picture.png");
        File.WriteAllBytes(image, TinyImages.Png(1));
        string[] command = ["run", model.Path, "--temp", "0", "-n", "4", "-c", "512", "--verbose", "What is this?"];
        string[] reads = ["--mmproj", TinyProjectors.Gemma3(model)];

        MoeResult one = _moe.Run([.. command, .. reads, "--image", image]);
        MoeResult two = _moe.Run([.. command, .. reads, "--image", image, "--image", image]);

        one.Code.Should().Be(0, one.Errors);
        two.Code.Should().Be(0, two.Errors);
        (PromptTokens(two) - PromptTokens(one)).Should().BeGreaterThanOrEqualTo(TinyProjectors.Gemma3Tokens);
        MoeResult blind = _moe.Run([.. command, "--image", image]);
        blind.Code.Should().Be(64);
        blind.Errors.Should().Contain("reads only text").And.Contain("--mmproj");
        MoeResult missing = _moe.Run([.. command.Except(["--verbose"]), .. reads, "--image", "missing.png"]);
        missing.Code.Should().NotBe(0);
        missing.Errors.Should().Contain("missing.png").And.NotContain("   at ");

        static int PromptTokens(MoeResult result) => int.Parse(Regex.Match(result.Errors, "([0-9]+) of the prompt").Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [Test]
    public void Generate_answers_a_chat_and_reports()
    {
        JsonNode json = _moe.Report("generate", DemoModel.Path, "--chat", "--prompt", "What do bees make?", "--temp", "0", "-c", "512");

        json["model"]!.GetValue<string>().Should().Be("tiny-moe");
        json["response"]!.GetValue<string>().Should().ContainEquivalentOf("honey");
        json["stop_reason"]!.GetValue<string>().Should().Be("Stop");
        json["prompt_tokens"]!.GetValue<int>().Should().BePositive();
    }

    [Test]
    public void Generate_follows_a_json_schema()
    {
        MoeResult result = _moe.Run(
            "generate", DemoModel.Path, "--prompt", "A bee:", "--temp", "0", "-n", "100", "-c", "512", "-j", """{"type":"object","properties":{"legs":{"type":"integer","minimum":0,"maximum":99}},"required":["legs"]}""");

        JsonNode.Parse(result.Output)!["legs"]!.GetValue<int>().Should().BeInRange(0, 99);
    }

    [Test]
    public void Generate_without_a_prompt_is_a_usage_error()
    {
        MoeResult result = _moe.Run("generate", DemoModel.Path);

        result.Code.Should().Be(64);
        result.Errors.Should().Contain("--prompt");
    }

    [Test]
    public void Run_answers_a_prompt_and_ends()
    {
        MoeResult result = _moe.Run("run", DemoModel.Path, "What", "do", "bees", "make?", "--temp", "0", "-c", "512");

        result.Code.Should().Be(0);
        result.Output.Should().ContainEquivalentOf("honey");
        result.Errors.Should().BeEmpty();
    }

    [Test]
    public void Run_in_a_pipe_answers_what_comes_in()
    {
        MoeResult result = _moe.Run("What do bees make?", ["run", DemoModel.Path, "--temp", "0", "-c", "512"]);

        result.Output.Should().ContainEquivalentOf("honey");
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public async Task Interrupt_ends_an_answer_cleanly_with_130()
    {
        using MoeProcess process = _moe.Start("generate", DemoModel.Path, "--prompt", "Once", "-n", "-1", "--ignore-eos", "-c", "200000");
        process.Process.StandardInput.Close();
        await process.WaitForOutputAsync(output => output.Length > 20);

        process.Signal(Interrupt);
        MoeResult result = process.WaitForEnd(TimeSpan.FromSeconds(30));

        result.Code.Should().Be(130);
        result.Errors.Should().BeEmpty();
    }

    [Test]
    public void Context_that_is_full_is_said_and_can_be_shifted()
    {
        string[] command = ["generate", DemoModel.Path, "--prompt", "Once upon a time", "--temp", "0", "-n", "300", "--ignore-eos", "-c", "64"];

        MoeResult cut = _moe.Run(command);
        MoeResult shifted = _moe.Run([.. command, "--context-shift"]);

        cut.Code.Should().Be(0);
        cut.Errors.Should().Contain("note: the context has 256 tokens, not 64").And.Contain("the answer was cut off, because the context of 256 tokens is full");
        shifted.Errors.Should().NotContain("cut off");
        shifted.Output.Length.Should().BeGreaterThan(cut.Output.Length);
    }

    [Test]
    public void Grammar_that_is_not_valid_is_a_usage_error_before_a_model_is_loaded()
    {
        MoeResult result = _moe.Run("generate", DemoModel.Path, "--prompt", "x", "--grammar", "root ::= (");

        result.Code.Should().Be(64);
        result.Errors.Trim().Should().StartWith("error: --grammar: ").And.NotContain("Grammar");
    }

    [Test]
    public void Prompt_that_is_too_long_names_the_commands_own_options()
    {
        MoeResult result = _moe.Run("generate", DemoModel.Path, "--prompt", string.Join(' ', Enumerable.Repeat("word", 600)), "-c", "256");

        result.Code.Should().Be(1);
        result.Errors.Should().Contain("--ctx-size").And.NotContain("--parallel").And.NotContain("ContextOptions");
    }

    [Test]
    public void Run_without_a_model_says_how_to_name_one()
    {
        MoeResult result = _moe.Run("run");

        result.Code.Should().Be(64);
        result.Errors.Should().Contain("moe list").And.Contain("MOE_MODEL").And.NotContain("SHIMMY");
    }

    [Test]
    public void Draft_model_does_not_change_the_text()
    {
        _moe.Run("generate", DemoModel.Path, "--prompt", "Once upon a time", "--temp", "0", "-n", "24", "-c", "512", "-md", DemoModel.Path)
            .Should().Be(new MoeResult(0, Continue("Once upon a time", 24), string.Empty));
    }

    [Test]
    public void Adapter_that_is_none_is_a_failure_to_load()
    {
        MoeResult result = _moe.Run("generate", DemoModel.Path, "--prompt", "x", "--lora", DemoModel.Path);

        result.Code.Should().Be(2);
        result.Errors.Should().Contain("LoRA");
    }

    [Test]
    public void Metadata_that_is_replaced_has_an_effect()
    {
        MoeResult result = _moe.Run("probe", DemoModel.Path, "--override-kv", "general.architecture=str:nonsense");

        result.Code.Should().Be(2);
        result.Errors.Should().Contain("nonsense");
    }

    [Test]
    public void Expert_counts_are_shown_on_request()
    {
        MoeResult result = _moe.Run("generate", DemoModel.Path, "--prompt", "Once", "-n", "4", "-c", "512", "--count-experts");

        result.Errors.Should().Contain("layer");
    }

    private static string Continue(string prompt, int count)
    {
        using MoeModel model = MoeModel.Load(DemoModel.Path);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 512, Threads = { Decode = 1 } });
        return string.Concat(session.GenerateAsync(prompt, new SamplingOptions { Temperature = 0 }, count).ToBlockingEnumerable().Select(token => token.Text));
    }
}
