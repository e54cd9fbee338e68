using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
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
}
