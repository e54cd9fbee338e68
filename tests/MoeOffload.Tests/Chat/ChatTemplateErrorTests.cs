using FluentAssertions;
using Microsoft.Extensions.Logging;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

[TestFixture]
public sealed class ChatTemplateErrorTests
{
    [TestCase("{% for message in messages %}{{ message.content }}", "*Unexpected*")]
    [TestCase("{{ messages[0].content", "*Expected }}*")]
    [TestCase("line one\n  {% if %}{% endif %}", "*Unexpected token: %}*line 2, column 9*")]
    [TestCase("line one\n{{ 'no end }}", "*unexpected end of input*{{ 'no end }}*")]
    public void Template_that_does_not_parse_says_where(string source, string words) =>
        SmallModel.Shared.Invoking(model => model.ParseChatTemplate(source))
            .Should().Throw<ChatTemplateException>().WithMessage("The chat template cannot be parsed: " + words);

    [Test]
    public void Template_that_fails_says_where_and_why()
    {
        ChatTemplate template = SmallModel.Shared.ParseChatTemplate("{{ bos_token }}\n{% for m in messages %}{{ raise_exception('No ' ~ m.role ~ ' here!') }}{% endfor %}");

        template.Invoking(it => it.Render([ChatMessage.User("Hi")]))
            .Should().Throw<ChatTemplateException>().WithMessage("The chat template failed: *line 2*No user here!*");
    }

    [Test]
    public void What_llama_says_about_a_template_goes_to_the_log()
    {
        using var log = new RecordedLog();
        using MoeModel model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Mixtral)), new ModelOptions { LoggerFactory = log });

        model.ChatTemplate.Render([ChatMessage.System("Be brief.")]);

        log.Lines.Where(line => line.Category == "MoeOffload.Native" && line.Level == LogLevel.Warning).Select(line => line.Text)
            .Should().Contain(line => line.Contains("system prompt"));
    }

    [Test]
    public void Models_own_template_that_does_not_parse_is_an_error_when_it_is_asked_for()
    {
        using MoeModel model = MoeModel.Load(RealTemplates.Write("{% if %}"));

        model.Invoking(it => it.ChatTemplate).Should().Throw<ChatTemplateException>();
        model.ParseChatTemplate("chatml").Render([ChatMessage.User("Hi")]).Prompt.Should().Be("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
    }

    [Test]
    public async Task Model_without_template_has_ChatML_or_the_template_of_the_options()
    {
        string path = AlteredModels.Alter(
            TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 1, Experts = 4, ExpertsUsed = 2 }), writer => writer.Set("tokenizer.chat_template", string.Empty));
        var log = new RecordedLog();
        using MoeModel model = MoeModel.Load(path, new ModelOptions { LoggerFactory = log });
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        ChatStream stream = session.ChatAsync([ChatMessage.User("Hi")]);
        await stream.StartAsync();
        stream.Chat!.Prompt.Should().StartWith("<|im_start|>");
        log.Warnings.Should().ContainMatch("*no chat template*");

        using MoeModel other = MoeModel.Load(path, new ModelOptions { ChatTemplate = "{{ 'A ' + messages[0].content }}" });
        other.ChatTemplate.Render([ChatMessage.User("Hi")]).Prompt.Should().Be("A Hi");
        FluentActions.Invoking(() => MoeModel.Load(path, new ModelOptions { ChatTemplate = "llama9" })).Should().Throw<ArgumentException>().WithMessage("*ChatTemplate*");
    }

    [Test]
    public void Template_without_a_form_of_calls_refuses_a_required_one()
    {
        ChatTemplate template = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.Mixtral));
        var options = new ChatOptions { Tools = [Chats.Weather], ToolChoice = ToolChoice.Required };

        template.Invoking(it => it.Render([ChatMessage.User("Hi")], options)).Should().Throw<NotSupportedException>().WithMessage("*does not show tools*");
        template.Invoking(it => it.Render([ChatMessage.User("Hi")], options with { ToolChoice = ToolChoice.Tool("get_weather") }))
            .Should().Throw<NotSupportedException>();
        template.Render([ChatMessage.User("Hi")], options with { ToolChoice = ToolChoice.Auto }).Grammar.Should().BeNull();
    }

    [Test]
    public void Template_with_a_form_of_calls_has_a_grammar_for_a_required_one([ValueSource(nameof(CallingTemplates))] string name)
    {
        ChatTemplate template = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(name));

        RenderedChat chat = template.Render([ChatMessage.User("Hi")], new ChatOptions { Tools = [Chats.Weather], ToolChoice = ToolChoice.Required });

        chat.Grammar.Should().NotBeNull();
        chat.IsGrammarLazy.Should().BeFalse();
    }

    private static IEnumerable<string> CallingTemplates() => [RealTemplates.GptOss, RealTemplates.Qwen3, "Qwen3-Coder", "mistralai-Mistral-Nemo-Instruct-2407"];

    [TestCase("(", ")")]
    [TestCase("[", "]")]
    [TestCase("{'a': ", "}")]
    public void Template_nested_too_deeply_is_refused(string open, string close)
    {
        string source = "{{ " + string.Concat(Enumerable.Repeat(open, 5_000)) + "1" + string.Concat(Enumerable.Repeat(close, 5_000)) + " }}";

        SmallModel.Shared.Invoking(model => model.ParseChatTemplate(source)).Should().Throw<ChatTemplateException>().WithMessage("*nested*line 1*");
    }

    [TestCase("{{ 'a'{0} }}", " ~ 'a'", 4_000)]
    [TestCase("{{ 'a'{0} }}", "|trim", 5_000)]
    [TestCase("{{ {0} true }}", "not ", 5_000)]
    [TestCase("{0}", "{% if true %}", 15_000)]
    [TestCase("{% if false %}{0}{% endif %}", "{% elif false %}", 15_000)]
    [TestCase("{{ 1{0} }}", " if true else 1", 2_000)]
    public void Template_of_the_largest_size_is_parsed_or_refused(string frame, string part, int count)
    {
        string source = frame.Replace("{0}", string.Concat(Enumerable.Repeat(part, count)), StringComparison.Ordinal);

        try
        {
            SmallModel.Shared.ParseChatTemplate(source).Render([ChatMessage.User("Hi")]);
        }
        catch (ChatTemplateException)
        {
            // A refusal is as good: what matters is that the process lives.
        }
    }

    [Test]
    public void Capabilities_are_the_templates()
    {
        SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.Mixtral)).Capabilities
            .Should().Match<ChatTemplateCapabilities>(it => !it.SystemRole && !it.Tools && !it.ToolCalls);
        SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.Qwen3)).Capabilities
            .Should().Match<ChatTemplateCapabilities>(it => it.SystemRole && it.Tools && it.ToolCalls);
    }

    [Test]
    public void Template_outlives_its_model()
    {
        ChatTemplate template;
        using (MoeModel model = MoeModel.Load(RealTemplates.Write("chatml")))
        {
            template = model.ChatTemplate;
        }

        template.Render([ChatMessage.User("Hi")]).Prompt.Should().Contain("Hi");
    }

    [Test]
    public void Any_text_goes_through_a_template()
    {
        const string Text = "\0 \u0001 \u2028 \U0010FFFF {{ x }} {% y %} \\ \" </s>";

        SmallModel.Shared.ParseChatTemplate("chatml").Render([ChatMessage.User(Text)]).Prompt.Should().Be($"<|im_start|>user\n{Text}<|im_end|>\n<|im_start|>assistant\n");
    }

    [Test]
    public void Templates_render_on_several_threads_at_once()
    {
        ChatTemplate template = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.GptOss));
        string expected = template.Render(Chats.All["tool result"], new ChatOptions { Tools = [Chats.Weather] }).Prompt;

        Parallel.For(0, 16, _ => template.Render(Chats.All["tool result"], new ChatOptions { Tools = [Chats.Weather] }).Prompt.Should().Be(expected));
    }
}
