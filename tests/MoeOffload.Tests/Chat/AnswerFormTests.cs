using System.Globalization;
using System.Text.Json;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Schemas;
using MoeOffload.Tests.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>An answer by a schema has the form that the template shows, also where llama.cpp knows no answers by a schema, and can follow reasoning.</summary>
[TestFixture]
public sealed class AnswerFormTests
{
    private static readonly ChatMessage[] s_messages = [ChatMessage.User("Hi")];
    private static readonly JsonSchema s_number = JsonSchema.Parse("""{"type":"integer","minimum":100}""");

    [TestCase("Kimi-K3", true, "<|close|>think<|sep|><|open|>response<|sep|>", "")]
    [TestCase("Kimi-K2-Thinking", true, "<think>Hm.</think>", "Hm.")]
    [TestCase("Kimi-K2-Thinking", true, "", "")]
    [TestCase("inclusionai-ling-3.0-flash", true, "Hm.</think>", "Hm.")]
    [TestCase("inclusionai-ling-3.0-flash", false, "", "")]
    [TestCase("meetkai-functionary-medium-v3.2", true, "all\n", "")]
    [TestCase("muse-glimmer", true, " to=self<|message|>Hm.<|eom|><|start|>assistant to=user<|message|>", "Hm.")]
    [TestCase("muse-glimmer", true, " to=user<|message|>", "")]
    public void Answer_by_a_schema_has_the_form_of_the_template(string template, bool reasons, string before, string reasoning)
    {
        using MoeModel model = Load(template);
        RenderedChat chat = model.ChatTemplate.Render(s_messages, new ChatOptions { ResponseSchema = s_number, Reasoning = reasons });
        Gbnf grammar = Gbnf.Read(chat.Grammar!);
        string beginning = BeginningOf(chat);

        grammar.Matches($"{beginning}{before}123").Should().BeTrue();
        grammar.Matches($"{beginning}{before}12").Should().BeFalse();
        grammar.Matches($"{beginning}I think so.").Should().BeFalse();
        ChatMessage answer = chat.ParseAnswer($"{before}123");
        answer.Content.Should().Be("123");
        (answer.ReasoningContent ?? string.Empty).Should().Be(reasoning);
        chat.Prompt.Should().EndWith(beginning);
    }

    [Test]
    public void Every_answer_by_a_schema_is_read_as_content(
        [Values("Kimi-K3", "Kimi-K2-Thinking", "inclusionai-ling-3.0-flash", "meetkai-functionary-medium-v3.2", "muse-glimmer")] string template,
        [Values] ReasoningFormat format)
    {
        using MoeModel model = Load(template);
        RenderedChat chat = model.ChatTemplate.Render(s_messages, new ChatOptions { ResponseSchema = s_number, ReasoningFormat = format });
        Gbnf grammar = Gbnf.Read(chat.Grammar!);
        string beginning = BeginningOf(chat);
        for (int seed = 0; seed < 8; seed++)
        {
            string text = grammar.Sample(new Random(seed));
            text.Should().StartWith(beginning);
            string content = chat.ParseAnswer(text[beginning.Length..]).Content;
            if (format == ReasoningFormat.Separate)
            {
                long.Parse(content, CultureInfo.InvariantCulture).Should().BeGreaterThanOrEqualTo(100);
            }
            else
            {
                content.Should().NotBeEmpty();
            }
        }
    }

    [Test]
    public void Answer_that_is_continued_follows_the_schema([Values("Kimi-K3", "inclusionai-ling-3.0-flash", "meetkai-functionary-medium-v3.2", "muse-glimmer")] string template)
    {
        using MoeModel model = Load(template);
        RenderedChat chat = model.ChatTemplate.Render(
            [.. s_messages, ChatMessage.Assistant("12")], new ChatOptions { ResponseSchema = s_number, ContinueLastMessage = true });
        Gbnf grammar = Gbnf.Read(chat.Grammar!);
        string beginning = BeginningOf(chat);

        chat.Prompt.Should().EndWith(beginning);
        grammar.Matches($"{beginning}3").Should().BeTrue();
        grammar.Matches($"{beginning}").Should().BeFalse();
        chat.ParseAnswer("3").Content.Should().Be("3");
    }

    [TestCase("muse-glimmer")]
    [TestCase("openai-gpt-oss-120b")]
    public void Required_call_can_follow_reasoning_that_is_a_message_of_its_own(string template)
    {
        using MoeModel model = Load(template);
        RenderedChat chat = model.ChatTemplate.Render(s_messages, new ChatOptions { Tools = [Chats.Time], ToolChoice = ToolChoice.Required });
        Gbnf grammar = Gbnf.Read(chat.Grammar!);
        bool reasoned = false;
        for (int seed = 0; seed < 8; seed++)
        {
            string text = grammar.Sample(new Random(seed));
            ChatMessage answer = chat.ParseAnswer(text);
            answer.Content.Trim().Should().BeEmpty(text);
            answer.ToolCalls.Should().NotBeEmpty(text);
            reasoned |= answer.ReasoningContent is not null;
        }

        reasoned.Should().BeTrue();
    }

    private static MoeModel Load(string template) => MoeModel.Load(RealTemplates.Write(
        RealTemplates.Read(template), null, null, "<think>", "</think>", "<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|eom|>", "<|eot|>", "<|open|>", "<|close|>", "<|sep|>"));

    private static string BeginningOf(RenderedChat chat)
    {
        using JsonDocument rendered = JsonDocument.Parse(chat.Json);
        return rendered.RootElement.GetProperty("generation_prompt").GetString()!;
    }
}
