using System.Text;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>Answers as real models write them, read whole and while they grow.</summary>
[TestFixture]
public sealed class ChatAnswerTests
{
    private const string Arguments = """{"city": "Zürich", "days": 2}""";

    private static readonly Dictionary<string, ChatTemplate> s_templates = [];

    private MoeModel _model = null!;

    private static IEnumerable<TestCaseData> Answers()
    {
        const string Call = $$"""{"name": "get_weather", "arguments": {{Arguments}}}""";
        yield return Case(RealTemplates.GptOss, "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello 😀", "Hello 😀", "Hm.", 0);
        yield return Case(
            RealTemplates.GptOss,
            $"<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{Arguments}",
            string.Empty, "Hm.", 1);
        yield return Case(RealTemplates.Qwen3, "<think>\nHm.\n</think>\n\nHello", "Hello", "Hm.", 0);
        yield return Case(RealTemplates.Qwen3, $"<think>\nHm.\n</think>\n\nLet me see.\n<tool_call>\n{Call}\n</tool_call>", "Let me see.", "Hm.", 1);
        yield return Case(RealTemplates.Qwen3, $"<tool_call>\n{Call}\n</tool_call>\n<tool_call>\n{Call}\n</tool_call>", string.Empty, null, 2);
        yield return Case(
            "deepseek-ai-DeepSeek-V3.1",
            $"Hm.</think>Let me see.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{Arguments}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "Let me see.", "Hm.", 1);
        yield return Case("mistralai-Mistral-Nemo-Instruct-2407", $$"""[TOOL_CALLS][{"name": "get_weather", "arguments": {{Arguments}}, "id": "123456789"}]""", string.Empty, null, 1);
        yield return Case(
            "Qwen3-Coder",
            "Let me see.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nZürich\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
            "Let me see.", null, 1);
        yield return Case("microsoft-Phi-3.5-mini-instruct", "Hello <|ässistant|> {", "Hello <|ässistant|> {", null, 0);
        yield return Case(RealTemplates.Mixtral, " Hello", " Hello", null, 0);

        static TestCaseData Case(string template, string answer, string content, string? reasoning, int calls) =>
            new TestCaseData(template, answer, content, reasoning, calls).SetArgDisplayNames(template, answer.Replace('\n', ' '));
    }

    [OneTimeSetUp]
    public void Load() => _model = MoeModel.Load(RealTemplates.Write("chatml"));

    [OneTimeTearDown]
    public void Unload() => _model.Dispose();

    [TestCaseSource(nameof(Answers))]
    public void Answer_is_read_whole(string template, string answer, string content, string? reasoning, int calls)
    {
        ChatMessage message = Render(template).ParseAnswer(answer);

        message.Content.Trim().Should().Be(content.Trim());
        message.ReasoningContent?.Trim().Should().Be(reasoning);
        message.ToolCalls.Should().HaveCount(calls);
        foreach (ToolCall call in message.ToolCalls)
        {
            call.Name.Should().Be("get_weather");
            call.Id.Should().NotBeEmpty();
            System.Text.Json.Nodes.JsonNode.DeepEquals(
                System.Text.Json.Nodes.JsonNode.Parse(call.Arguments), System.Text.Json.Nodes.JsonNode.Parse(Arguments)).Should().BeTrue(call.Arguments);
        }
    }

    [TestCaseSource(nameof(Answers))]
    public void Growing_answer_adds_up_to_the_whole_one(string template, string answer, string content, string? reasoning, int calls)
    {
        RenderedChat chat = Render(template);

        (ChatMessage whole, ChatMessage sum, int updates) = Grow(chat, answer);

        sum.Should().BeEquivalentTo(whole);
        whole.ToolCalls.Should().HaveCount(calls);
        updates.Should().BeGreaterThan(3, "what is certain is not held back");
    }

    [Test]
    public void Cut_answer_is_read_as_far_as_it_came([ValueSource(nameof(Cuts))] (string Template, string Answer) cut)
    {
        RenderedChat chat = Render(cut.Template);
        Rune[] runes = [.. cut.Answer.EnumerateRunes()];
        for (int length = 0; length <= runes.Length; length++)
        {
            var reader = new ChatAnswerReader(chat);
            reader.Append(Encoding.UTF8.GetBytes(string.Concat(runes.Take(length))));

            reader.Invoking(it => it.Finish(out _, isCut: true)).Should().NotThrow();
        }
    }

    // A model that repeats itself opens brackets without end, and llama.cpp's parser recurses for each.
    [TestCase("[")]
    [TestCase("{\"a\":")]
    public void Brackets_without_end_are_read_or_refused(string bracket)
    {
        var tool = new ToolDefinition { Name = "f", Parameters = """{"type":"object","properties":{"a":{}},"required":["a"]}""" };
        RenderedChat chat = Template(RealTemplates.Qwen3).Render(Chats.All["question"], new ChatOptions { Tools = [tool] });
        const string Start = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": ";

        chat.ParseAnswer(Start + Repeat(9_000)).ToolCalls.Should().ContainSingle();
        chat.Invoking(it => it.ParseAnswer(Start + Repeat(11_000))).Should().Throw<FormatException>().WithMessage("*brackets*");

        string Repeat(int count) => string.Concat(Enumerable.Repeat(bracket, count));
    }

    [Test]
    public void Reasoning_stays_in_the_content_on_request()
    {
        RenderedChat chat = Template(RealTemplates.Qwen3).Render(Chats.All["question"], new ChatOptions { ReasoningFormat = ReasoningFormat.InContent });

        ChatMessage message = chat.ParseAnswer("<think>\nHm.\n</think>\n\nHello");

        message.ReasoningContent.Should().BeNull();
        message.Content.Should().Be("<think>\nHm.\n</think>\n\nHello");
    }

    [Test]
    public void Answer_of_another_format_says_so()
    {
        RenderedChat chat = Template("CohereForAI-c4ai-command-r7b-12-2024-tool_use").Render(Chats.All["question"]);

        chat.Invoking(it => it.ParseAnswer("no frame")).Should().Throw<FormatException>().WithMessage("*does not match*'no frame'*");
    }

    /// <summary>Whatever a template makes of a text that may be the beginning of something, nothing is taken back.</summary>
    [TestCaseSource(typeof(RealTemplates), nameof(RealTemplates.Files))]
    public void Updates_never_take_back(string template)
    {
        RenderedChat chat = Template(template).Render(Chats.All["question"], new ChatOptions { Tools = [Chats.Weather, Chats.Time] });
        foreach (string answer in (ReadOnlySpan<string>)["Hello <", "a <tool_call b [TOOL_CALLS <| x", "<think>a</think>b <function", "{\"name\": \"x\"} ", "  \n\n hello  \n "])
        {
            try
            {
                (ChatMessage whole, ChatMessage sum, _) = Grow(chat, answer);
                sum.Should().BeEquivalentTo(whole, "of '{0}'", answer);
            }
            catch (FormatException)
            {
                // The answer is none of this template's.
            }
        }
    }

    private static IEnumerable<(string Template, string Answer)> Cuts() =>
        Answers().Select(answer => ((string)answer.Arguments[0]!, (string)answer.Arguments[1]!));

    private static (ChatMessage Whole, ChatMessage Sum, int Updates) Grow(RenderedChat chat, string answer)
    {
        var reader = new ChatAnswerReader(chat);
        var sum = new Sum();
        foreach (Rune rune in answer.EnumerateRunes())
        {
            reader.Append(Encoding.UTF8.GetBytes(rune.ToString()));
            sum.Add(reader.Advance());
        }

        ChatMessage whole = reader.Finish(out ChatUpdate last, isCut: true);
        sum.Add(last);
        return (whole, sum.Message, sum.Count);
    }

    private ChatTemplate Template(string name) =>
        s_templates.TryGetValue(name, out ChatTemplate? known) ? known : s_templates[name] = _model.ParseChatTemplate(RealTemplates.Read(name));

    private RenderedChat Render(string template) =>
        Template(template).Render(Chats.All["question"], new ChatOptions { Tools = [Chats.Weather, Chats.Time], ParallelToolCalls = true });

    private sealed class Sum
    {
        private readonly List<ToolCall> _calls = [];
        private readonly StringBuilder _content = new();
        private readonly StringBuilder _reasoning = new();

        public int Count { get; private set; }

        public ChatMessage Message => new()
        {
            Role = ChatRole.Assistant,
            Content = _content.ToString(),
            ReasoningContent = _reasoning.Length > 0 ? _reasoning.ToString() : null,
            ToolCalls = _calls,
        };

        public void Add(ChatUpdate update)
        {
            Count += update.IsEmpty ? 0 : 1;
            _content.Append(update.Content);
            _reasoning.Append(update.ReasoningContent);
            foreach (ToolCallUpdate call in update.ToolCalls)
            {
                if (call.Index == _calls.Count)
                {
                    _calls.Add(new ToolCall { Id = call.Id!, Name = call.Name!, Arguments = string.Empty });
                }

                _calls[call.Index] = _calls[call.Index] with { Arguments = _calls[call.Index].Arguments + call.Arguments };
            }
        }
    }
}
