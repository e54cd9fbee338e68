using System.Text;
using System.Text.Json;
using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Native;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>Rendering converts the schemas of a chat. They are converted beside it only to say which one is not valid.</summary>
[TestFixture]
public sealed class ChatRequestTests
{
    private const string Missing = """{"$ref":"#/$defs/none"}""";

    private static readonly ChatMessage[] s_messages = [ChatMessage.User("Hi")];

    private static readonly ChatOptions s_tools = new()
    {
        Tools = [Chats.Weather, new ToolDefinition { Name = "broken", Parameters = """{"type":"object","properties":{"a":""" + Missing + "}}" }],
    };

    private static readonly ChatOptions s_response = new() { ResponseSchema = JsonSchema.Parse(Missing) };

    // The schema that is enforced differs from the one that the model sees, so the chat is rendered twice.
    private static readonly ToolDefinition s_tool = new()
    {
        Name = "choose",
        Description = "Chooses",
        Parameters = """{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string","contentEncoding":"base64"}},"required":["a"],"not":{"required":["c"]}}""",
    };

    public static IEnumerable<TestCaseData> Refused()
    {
        // One has a form of calls, and so a grammar; the other has none.
        foreach (string template in (string[])[RealTemplates.Qwen3, RealTemplates.Mixtral])
        {
            yield return new TestCaseData(template, s_tools, "The parameters of the tool 'broken' *#/$defs/none*").SetArgDisplayNames(template, "tool");
            yield return new TestCaseData(template, s_response, "The JSON schema *#/$defs/none*").SetArgDisplayNames(template, "response");
        }
    }

    [Test]
    public void Request_converts_no_schema()
    {
        FluentActions.Invoking(() => ChatRequest.Make(s_messages, s_tools)).Should().NotThrow("only the converter finds what is wrong");
        FluentActions.Invoking(() => ChatRequest.Make(s_messages, s_response)).Should().NotThrow();
    }

    [TestCaseSource(nameof(Refused))]
    public void Schema_that_the_converter_rejects_is_told_by_its_name(string template, ChatOptions options, string message)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template));

        parsed.Invoking(it => it.Render(s_messages, options)).Should().Throw<ArgumentException>().WithMessage(message);
    }

    [TestCaseSource(typeof(RealTemplates), nameof(RealTemplates.Files))]
    public void Schemas_are_converted_by_one_of_two_renderings_and_the_prompt_is_the_same(string template)
    {
        using ChatTemplateHandle handle = NativeChat.Parse(SmallModel.Shared.Native.Handle, RealTemplates.Read(template), NullLogger.Instance);
        ChatOptions options = new() { Tools = [s_tool, Chats.Weather] };
        ChatMessage[] messages = [ChatMessage.User("Hi")];

        ChatRequest request = ChatRequest.Make(messages, options);

        request.ForPrompt.Should().NotEqual(request.ForGrammar);
        (string prompt, string grammar) = Render(request.ForPrompt);
        grammar.Should().BeEmpty("this rendering is only for the prompt");
        string callable = Encoding.UTF8.GetString(request.ForPrompt).Replace("\"none\"", "\"auto\"", StringComparison.Ordinal);
        Render(Encoding.UTF8.GetBytes(callable)).Prompt.Should().Be(prompt);
        SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template)).Render(messages, options).Prompt.Should().Be(prompt);

        (string Prompt, string Grammar) Render(byte[] json)
        {
            using JsonDocument rendered = JsonDocument.Parse(NativeChat.Render(handle, json, NullLogger.Instance));
            return (rendered.RootElement.GetProperty("prompt").GetString()!, rendered.RootElement.GetProperty("grammar").GetString()!);
        }
    }

    [Test]
    public void Request_without_calls_or_with_the_schemas_that_are_shown_is_rendered_once()
    {
        ChatMessage[] messages = [ChatMessage.User("Hi")];
        foreach (ChatOptions options in (ChatOptions[])
            [new(), new() { Tools = [Chats.Weather, Chats.Time] }, new() { Tools = [s_tool], ToolChoice = ToolChoice.None }])
        {
            ChatRequest request = ChatRequest.Make(messages, options);
            request.ForGrammar.Should().BeSameAs(request.ForPrompt);
        }
    }
}
