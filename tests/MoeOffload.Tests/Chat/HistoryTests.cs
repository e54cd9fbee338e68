using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>Histories as agents send them reach the model with every template, and none of their text is lost.</summary>
[TestFixture]
public sealed class HistoryTests
{
    private static readonly ToolCall s_call = new() { Id = "abcdef123", Name = "get_weather", Arguments = """{"city":"Bern"}""" };

    private static readonly Dictionary<string, ChatMessage[]> s_histories = new()
    {
        ["two systems"] = [ChatMessage.System("alpha"), ChatMessage.System("bravo"), ChatMessage.User("charlie")],
        ["two developers"] = [Developer("alpha"), Developer("bravo"), ChatMessage.User("charlie")],
        ["developer and system"] = [Developer("alpha"), ChatMessage.System("bravo"), ChatMessage.User("charlie")],
        ["trailing system"] = [ChatMessage.User("alpha"), ChatMessage.System("bravo")],
        ["system in the middle"] =
            [ChatMessage.System("alpha"), ChatMessage.User("bravo"), ChatMessage.Assistant("charlie"), ChatMessage.System("delta"), ChatMessage.User("echo")],
        ["system between users"] = [ChatMessage.System("alpha"), ChatMessage.User("bravo"), ChatMessage.System("charlie"), ChatMessage.User("delta")],
        ["two users"] = [ChatMessage.System("alpha"), ChatMessage.User("bravo"), ChatMessage.User("charlie")],
        ["two assistants"] = [ChatMessage.User("alpha"), ChatMessage.Assistant("bravo"), ChatMessage.Assistant("charlie"), ChatMessage.User("delta")],
        ["assistant first"] = [ChatMessage.System("alpha"), ChatMessage.Assistant("bravo"), ChatMessage.User("charlie")],
        ["only a system"] = [ChatMessage.System("alpha")],
        ["empty user"] = [ChatMessage.User(string.Empty), ChatMessage.User("alpha")],
        ["call and result"] = [ChatMessage.User("alpha"), Calling("bravo"), ChatMessage.ToolResult(s_call, "charlie"), ChatMessage.User("delta")],
        ["two results"] = [ChatMessage.User("alpha"), Calling("bravo"), ChatMessage.ToolResult(s_call, "charlie"), ChatMessage.ToolResult(s_call, "delta")],
        ["result and system"] = [ChatMessage.User("alpha"), Calling(string.Empty), ChatMessage.ToolResult(s_call, "bravo"), ChatMessage.System("charlie")],
    };

    // One of each family: those that are strict, and those that leave out what they do not expect.
    private static readonly string[] s_templates =
    [
        "Qwen3.5-4B", "Qwen-Qwen3-0.6B", "Qwen3-Coder", "google-gemma-2-2b-it", "mistralai-Mistral-Nemo-Instruct-2407", "Mistral-Small-3.2-24B-Instruct-2506",
        "meta-llama-Llama-3.1-8B-Instruct", "microsoft-Phi-3.5-mini-instruct", "openai-gpt-oss-120b", "deepseek-ai-DeepSeek-V3.1", "GLM-4.6", "Kimi-K2-Instruct",
        "ibm-granite-granite-3.3-2B-Instruct", "llama-cpp-rwkv-world", "Apertus-8B-Instruct",
    ];

    [TestCaseSource(nameof(s_templates))]
    public void No_text_of_a_history_is_lost(string template)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template));
        foreach ((string name, ChatMessage[] history) in s_histories)
        {
            string prompt = parsed.Render(history).Prompt;
            prompt.Should().ContainAll(history.Select(message => message.Content).Where(content => content.Length > 0), name);
            parsed.Render(history).Prompt.Should().Be(prompt, "what was found out about the template is kept");
        }
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("{\"city\":")]
    [TestCase("[1,2]")]
    [TestCase("\"{\\\"city\\\":\\\"Bern\\\"}\"")]
    public void Arguments_of_an_earlier_call_need_not_be_an_object(string arguments)
    {
        ChatMessage[] history =
        [
            ChatMessage.User("alpha"),
            ChatMessage.Assistant(string.Empty) with { ToolCalls = [s_call with { Arguments = arguments }] },
            ChatMessage.ToolResult(s_call, "bravo"),
        ];
        foreach (string template in (string[])["Qwen3.5-4B", "Qwen-Qwen3-0.6B", "GLM-4.6", "mistralai-Mistral-Nemo-Instruct-2407", "meta-llama-Llama-3.1-8B-Instruct"])
        {
            string prompt = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template)).Render(history).Prompt;
            prompt.Should().Contain("get_weather").And.Contain("bravo");
            if (arguments.Contains("city", StringComparison.Ordinal))
            {
                prompt.Should().Contain("city");
            }
        }
    }

    [TestCase("", "{}")]
    [TestCase(" ", "{}")]
    [TestCase("null", "{}")]
    [TestCase("{\"a\":1}", "{\"a\":1}")]
    [TestCase("{\"a\":", "{\"arguments\":\"{\\u0022a\\u0022:\"}")]
    [TestCase("[1]", "{\"arguments\":[1]}")]
    [TestCase("\"text\"", "{\"arguments\":\"text\"}")]
    [TestCase("\"{\\\"a\\\":1}\"", "{\"a\":1}")]
    public void Arguments_become_an_object(string arguments, string expected) => ToolArguments.ToObject(arguments).Should().Be(expected);

    [Test]
    public void Each_form_of_a_history_keeps_its_text_and_its_order()
    {
        ChatMessage[] history =
        [
            ChatMessage.System("a"), Developer("b"), ChatMessage.User("c"), ChatMessage.User("d"), Calling("e"), ChatMessage.ToolResult(s_call, "f"), ChatMessage.System("g"),
        ];
        foreach (IReadOnlyList<ChatMessage> form in HistoryForms.Of(history))
        {
            string text = string.Join('\n', form.Select(message => message.Content));
            int[] places = [.. "abcdefg".Select(letter => text.IndexOf(letter, StringComparison.Ordinal))];
            places.Should().OnlyContain(place => place >= 0);
        }

        HistoryForms.Of([ChatMessage.System("a"), ChatMessage.User("b")]).First().Should().OnlyContain(message => message.Role == ChatRole.User, "nothing else could be changed");
    }

    [TestCase("Qwen3.5-4B")]
    [TestCase("Qwen-Qwen3-0.6B")]
    [TestCase("google-gemma-2-2b-it")]
    [TestCase("mistralai-Mistral-Nemo-Instruct-2407")]
    [TestCase("meta-llama-Llama-3.1-8B-Instruct")]
    [TestCase("deepseek-ai-DeepSeek-V3.1")]
    [TestCase("GLM-4.6")]
    [TestCase("openai-gpt-oss-120b")]
    public void Beginning_of_an_answer_is_continued_and_not_repeated(string template)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template));
        foreach (bool reasons in (bool[])[false, true])
        {
            RenderedChat chat = parsed.Render(
                [ChatMessage.User("Count!"), ChatMessage.Assistant("one, two,")], new ChatOptions { ContinueLastMessage = true, Reasoning = reasons });
            chat.Prompt.Should().EndWith("one, two,");
            chat.ParseAnswer(" three").Content.Should().Be(" three");
            chat.ParseAnswer("one, two, three").Content.Should().Be("one, two, three", "only the beginning itself is left out");
        }
    }

    [Test]
    public void Only_a_message_of_the_assistant_is_continued() =>
        FluentActions.Invoking(() => SmallModel.Shared.ParseChatTemplate("chatml").Render([ChatMessage.User("Hi")], new ChatOptions { ContinueLastMessage = true }))
            .Should().Throw<ArgumentException>().WithMessage("*ContinueLastMessage*");

    private static ChatMessage Developer(string content) => new() { Role = ChatRole.Developer, Content = content };

    private static ChatMessage Calling(string content) => ChatMessage.Assistant(content) with { ToolCalls = [s_call] };
}
