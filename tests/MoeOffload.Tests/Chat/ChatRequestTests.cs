using System.Text;
using System.Text.Json;
using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Native;
using MoeOffload.Schemas;
using MoeOffload.Tests.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>Schemas take the places of placeholders in the grammars that llama.cpp makes.</summary>
[TestFixture]
public sealed class ChatRequestTests
{
    private static readonly ChatMessage[] s_messages = [ChatMessage.User("Hi")];

    private static readonly ToolDefinition s_tool = new()
    {
        Name = "choose",
        Description = "Chooses",
        Parameters =
            """
            {"type":"object","required":["a"],"not":{"required":["c"]},
             "properties":{"a":{"type":"string"},"b":{"type":"string","contentEncoding":"base64"},"n":{"type":"integer","minimum":100},"o":{"type":"object","properties":{"":{"type":"null"}}}}}
            """,
    };

    private static readonly string[] s_unusual =
    [
        """{"type":"object","properties":{"x":true}}""",
        """{"type":"object","properties":{"x":{"type":"array","items":true}}}""",
        """{"type":"object","properties":{"node":{"$ref":"#"}}}""",
        """{"type":"object","properties":{"x":{"type":"string","minLength":2.0}}}""",
        """{"type":"object","properties":{"x":{"type":"integer"}},"required":null,"additionalProperties":null,"items":null}""",
        """{"type":"object","properties":{"x":null}}""",
        """{"type":"object","properties":null}""",
        """{"type":"object","properties":{"x":{"$ref":"https://example.org/x.json"},"y":{"$ref":"#anchor"}}}""",
        """{"type":"object","properties":{"x":{"$ref":"#/$defs/a~1b"},"y":{"$ref":"#/$defs/c%25d"}},"$defs":{"a/b":{"type":"integer"},"c%d":{"type":"null"}}}""",
        """{"type":"object","properties":{"x":{"type":"array","prefixItems":[]}}}""",
        """{"type":"object","properties":{"x":{"type":"text"},"y":{"enum":[]},"z":false}}""",
        """{"anyOf":[{"properties":{"x":{"type":"integer"}}},{"properties":{"y":{"type":["string","null"]}}}]}""",
        "{}",
        "true",
        "false",
    ];

    [TestCaseSource(typeof(RealTemplates), nameof(RealTemplates.Files))]
    public void No_schema_of_a_tool_makes_a_request_fail(string template)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template));
        ChatOptions options = new() { Tools = [.. s_unusual.Select((schema, index) => new ToolDefinition { Name = $"unusual_{index}", Parameters = schema })] };

        RenderedChat chat = parsed.Render(s_messages, options);

        chat.Grammar?.Should().NotContain("moe-schema");
    }

    [TestCaseSource(typeof(RealTemplates), nameof(RealTemplates.Files))]
    public void Answer_follows_its_schema_with_every_template(string template)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template));
        ChatOptions options = new() { ResponseSchema = JsonSchema.Parse("""{"type":"integer","minimum":100}""") };

        RenderedChat chat = parsed.Render(s_messages, options);

        chat.Grammar.Should().Contain("schema-root ::= ").And.NotContain("moe-schema");
        chat.IsGrammarLazy.Should().BeFalse();
        chat.Prompt.Should().NotContain("moe-schema");
    }

    [TestCase("[]")]
    [TestCase("{")]
    public void Parameters_that_are_no_schema_are_refused(string parameters)
    {
        ChatTemplate parsed = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.Qwen3));
        ChatOptions options = new() { Tools = [new ToolDefinition { Name = "broken", Parameters = parameters }] };

        parsed.Invoking(it => it.Render(s_messages, options)).Should().Throw<ArgumentException>().WithMessage("*tool 'broken'*");
    }

    [TestCaseSource(typeof(RealTemplates), nameof(RealTemplates.Files))]
    public void Grammar_is_made_by_one_of_two_renderings_and_the_prompt_is_the_same(string template)
    {
        using ChatTemplateHandle handle = NativeChat.Parse(SmallModel.Shared.Native.Handle, RealTemplates.Read(template), NullLogger.Instance);
        ChatOptions options = new() { Tools = [s_tool, Chats.Weather] };

        using JsonDocument probe = JsonDocument.Parse(NativeChat.Render(handle, ChatRequest.Make(s_messages, new ChatOptions()).WriteForPrompt(new EmbeddedSchemas()), NullLogger.Instance));
        bool canReason = probe.RootElement.GetProperty("supports_thinking").GetBoolean();
        byte[] request = ChatRequest.Make(s_messages, options, canReason).WriteForPrompt(new EmbeddedSchemas());

        (string prompt, string grammar) = Render(request);
        grammar.Should().BeEmpty("this rendering is only for the prompt");
        string callable = Encoding.UTF8.GetString(request).Replace("\"none\"", "\"auto\"", StringComparison.Ordinal);
        Render(Encoding.UTF8.GetBytes(callable)).Prompt.Should().Be(prompt);
        RenderedChat chat = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(template)).Render(s_messages, options);
        chat.Prompt.Should().Be(prompt);
        chat.Grammar?.Should().NotContain("moe-schema");

        (string Prompt, string Grammar) Render(byte[] json)
        {
            using JsonDocument rendered = JsonDocument.Parse(NativeChat.Render(handle, json, NullLogger.Instance));
            return (rendered.RootElement.GetProperty("prompt").GetString()!, rendered.RootElement.GetProperty("grammar").GetString()!);
        }
    }

    [Test]
    public void Arguments_follow_the_schema_of_their_tool()
    {
        ChatTemplate template = SmallModel.Shared.ParseChatTemplate(RealTemplates.Read(RealTemplates.Qwen3));

        RenderedChat chat = template.Render(s_messages, new ChatOptions { Tools = [s_tool], ToolChoice = ToolChoice.Required, Reasoning = false });

        Gbnf grammar = Gbnf.Read(chat.Grammar!);
        Call("""{"a":"x","n":100}""").Should().BeTrue();
        Call("""{"a":"x","n":12}""").Should().BeFalse();
        Call("""{"a":"x","o":{"":null}}""").Should().BeTrue();
        Call("""{"a":"x","o":20}""").Should().BeFalse();
        Call("""{"n":100}""").Should().BeFalse();

        bool Call(string arguments) => grammar.Matches($"<tool_call>\n{{\"name\": \"choose\", \"arguments\": {arguments}}}\n</tool_call>");
    }
}
