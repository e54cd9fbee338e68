using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Schemas;
using MoeOffload.Tests.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>A required call is the whole answer, after any reasoning, with the template of every family that shows tools.</summary>
[TestFixture]
public sealed class RequiredCallTests
{
    private static readonly string[] s_templates =
    [
        "Qwen3.5-4B", "Qwen-Qwen3-0.6B", "Qwen3-Coder", "mistralai-Mistral-Nemo-Instruct-2407", "Mistral-Small-3.2-24B-Instruct-2506", "meta-llama-Llama-3.1-8B-Instruct",
        "openai-gpt-oss-120b", "deepseek-ai-DeepSeek-V3.1", "GLM-4.6", "Kimi-K2-Instruct", "ibm-granite-granite-3.3-2B-Instruct", "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
        "LFM2-8B-A1B", "google-gemma-4-31B-it", "MiniMax-M2", "CohereForAI-c4ai-command-r7b-12-2024-tool_use", "fireworks-ai-llama-3-firefunction-v2", "Apertus-8B-Instruct",
    ];

    private static readonly ChatMessage[] s_messages = [ChatMessage.User("Hi")];

    private static readonly ToolDefinition s_weather = Chats.Weather with
    {
        Parameters = """{"type":"object","properties":{"city":{"type":"string","pattern":"^[a-z]{1,9}$"},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["city"],"additionalProperties":false}""",
    };

    private static readonly ToolDefinition s_time = Chats.Time with { Parameters = """{"type":"object","properties":{},"additionalProperties":false}""" };

    [TestCaseSource(nameof(s_templates))]
    public void No_prose_precedes_the_call(string template)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template));
        foreach (ToolChoice choice in (ToolChoice[])[ToolChoice.Required, ToolChoice.Tool("get_weather")])
        {
            RenderedChat chat = parsed.Render(s_messages, new ChatOptions { Tools = [s_weather, s_time], ToolChoice = choice, Reasoning = false });
            chat.IsGrammarLazy.Should().BeFalse();
            Gbnf grammar = Gbnf.Read(chat.Grammar!);
            grammar.Matches("I shall do that.").Should().BeFalse();
            grammar.Matches(string.Empty).Should().BeFalse();
            for (int seed = 0; seed < 4; seed++)
            {
                string text = grammar.Sample(new Random(seed));
                ChatMessage answer = chat.ParseAnswer(text);
                answer.Content.Trim().Should().BeEmpty(text);
                answer.ToolCalls.Should().NotBeEmpty(text);
                answer.ToolCalls[0].Name.Should().BeOneOf(choice == ToolChoice.Required ? ["get_weather", "get_time"] : ["get_weather"]);
            }
        }
    }

    // Gemma's format of arguments is not that of the schema, and its grammar allows more than its parser.
    private static IEnumerable<string> JsonTemplates => s_templates.Where(name => !name.StartsWith("google-gemma-4", StringComparison.Ordinal));

    [TestCaseSource(nameof(JsonTemplates))]
    public void Answer_with_tools_and_a_schema_is_a_call_or_JSON_of_the_schema(string template)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template));
        RenderedChat chat = parsed.Render(
            s_messages, new ChatOptions { Tools = [s_weather], ResponseSchema = JsonSchema.Parse("""{"enum":["yes","no"]}"""), Reasoning = false });
        Gbnf grammar = Gbnf.Read(chat.Grammar!);
        grammar.Matches("yes").Should().BeFalse();
        grammar.Matches(string.Empty).Should().BeFalse();
        for (int seed = 0; seed < 8; seed++)
        {
            string text = grammar.Sample(new Random(seed));
            ChatMessage answer = chat.ParseAnswer(text);
            (answer.ToolCalls.Count > 0 || answer.Content.Trim() is "\"yes\"" or "\"no\"").Should().BeTrue(text);
        }
    }

    [Test]
    public void Call_whose_format_ends_with_the_end_token_is_read([Values("</s>", "")] string end)
    {
        using MoeModel model = MoeModel.Load(RealTemplates.Write(
            RealTemplates.Read("Mistral-Small-3.2-24B-Instruct-2506"), null, end.Length > 0 ? end : null, "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"));
        var tool = new ToolDefinition { Name = "special_function", Parameters = """{"type":"object","properties":{"arg1":{"type":"integer"}},"required":["arg1"]}""" };
        RenderedChat chat = model.ChatTemplate.Render(s_messages, new ChatOptions { Tools = [tool] });

        ToolCall call = chat.ParseAnswer("""[TOOL_CALLS]special_function[CALL_ID]123456789[ARGS]{"arg1": 1}""").ToolCalls.Single();

        call.Name.Should().Be("special_function");
        call.Id.Should().Be("123456789");
        chat.ParseAnswer("Hello").Content.Should().Be("Hello");
    }
}
