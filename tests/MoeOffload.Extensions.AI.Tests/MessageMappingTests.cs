using System.Text.Json;
using FluentAssertions;
using Microsoft.Extensions.AI;
using NUnit.Framework;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>The messages that reach the chat template.</summary>
[TestFixture]
public sealed class MessageMappingTests
{
    [Test]
    public void Instructions_and_messages_of_all_roles_keep_their_order_and_text()
    {
        Map(
            "Be brief.",
            new ChatMessage(ChatRole.System, "You are a cook."),
            new ChatMessage(new ChatRole("developer"), "No meat."),
            new ChatMessage(ChatRole.User, [new TextContent("What "), new TextContent("today?")]) { AuthorName = "Ann" },
            new ChatMessage(ChatRole.Assistant, [new TextReasoningContent("It is Friday."), new TextContent("Soup.")]))
            .Should().BeEquivalentTo(
                [
                    Chat.ChatMessage.System("Be brief."),
                    Chat.ChatMessage.System("You are a cook."),
                    Chat.ChatMessage.System("No meat.") with { Role = Chat.ChatRole.Developer },
                    Chat.ChatMessage.User("What today?"),
                    Chat.ChatMessage.Assistant("Soup.") with { ReasoningContent = "It is Friday." },
                ],
                options => options.WithStrictOrdering());
    }

    [Test]
    public void Calls_and_results_are_those_of_tools()
    {
        var call = new FunctionCallContent("c1", "weather", new Dictionary<string, object?>
        {
            ["city"] = "Zürich",
            ["days"] = 2,
            ["units"] = JsonDocument.Parse("""["C"]""").RootElement,
        });
        List<Chat.ChatMessage> mapped = Map(
            null,
            new ChatMessage(ChatRole.User, "Weather?"),
            new ChatMessage(ChatRole.Assistant, [call, new FunctionCallContent("c2", "time")]),
            new ChatMessage(ChatRole.Tool, [new FunctionResultContent("c1", new Dictionary<string, object?> { ["sky"] = "clear" }), new FunctionResultContent("c2", "noon")]));

        mapped.Select(message => message.Role).Should().Equal(Chat.ChatRole.User, Chat.ChatRole.Assistant, Chat.ChatRole.Tool, Chat.ChatRole.Tool);
        mapped[1].ToolCalls.Select(made => (made.Id, made.Name)).Should().Equal(("c1", "weather"), ("c2", "time"));
        using JsonDocument arguments = JsonDocument.Parse(mapped[1].ToolCalls[0].Arguments);
        arguments.RootElement.GetProperty("city").GetString().Should().Be("Zürich");
        arguments.RootElement.GetProperty("days").GetInt32().Should().Be(2);
        arguments.RootElement.GetProperty("units")[0].GetString().Should().Be("C");
        mapped[1].ToolCalls[1].Arguments.Should().Be("{}");
        mapped[2].Should().BeEquivalentTo(new { ToolCallId = "c1", ToolName = "weather", Content = """{"sky":"clear"}""" });
        mapped[3].Should().BeEquivalentTo(new { ToolCallId = "c2", ToolName = "time", Content = "noon" });
    }

    [Test]
    public void Results_in_a_message_of_the_user_come_before_its_text()
    {
        List<Chat.ChatMessage> mapped = Map(
            null,
            new ChatMessage(ChatRole.Assistant, [new FunctionCallContent("c1", "time")]),
            new ChatMessage(ChatRole.User, [new FunctionResultContent("c1", null), new TextContent("And now?")]));

        mapped.Select(message => (message.Role, message.Content)).Skip(1).Should().Equal((Chat.ChatRole.Tool, string.Empty), (Chat.ChatRole.User, "And now?"));
    }

    [Test]
    public void Text_files_are_text()
    {
        Map(null, new ChatMessage(ChatRole.User, [new DataContent("Grüße"u8.ToArray(), "text/plain")])).Should().ContainSingle().Which.Content.Should().Be("Grüße");
    }

    [Test]
    public void Images_stay_between_the_texts()
    {
        Chat.ChatMessage mapped = Map(
            null,
            new ChatMessage(ChatRole.User, [new TextContent("Look: "), new DataContent(new byte[] { 1, 2 }, "image/png"), new TextContent("What"), new TextContent(" is it?")]))
            .Should().ContainSingle().Which;
        mapped.Parts.Select(part => part.Text).Should().Equal("Look: ", null, "What is it?");
        mapped.Parts[1].Image!.Data.ToArray().Should().Equal(1, 2);
    }

    [Test]
    public void Usage_and_errors_of_earlier_answers_are_left_out()
    {
        Map(null, new ChatMessage(ChatRole.Assistant, [new TextContent("Yes."), new UsageContent(new UsageDetails()), new ErrorContent("late")]))
            .Should().ContainSingle().Which.Content.Should().Be("Yes.");
    }

    [Test]
    public void What_a_text_model_cannot_read_is_refused_with_its_type()
    {
        Refuses(new ChatMessage(ChatRole.User, [new DataContent(new byte[3], "audio/mp3")]), "*audio/mp3*");
        Refuses(new ChatMessage(ChatRole.User, [new UriContent("https://example.org/a.png", "image/png")]), "*image/png*");
        Refuses(new ChatMessage(ChatRole.User, [new UriContent("https://example.org/a.wav", "audio/wav")]), "*audio/wav*");
        Refuses(new ChatMessage(ChatRole.User, [new HostedFileContent("f")]), "*HostedFileContent*");
        Refuses(new ChatMessage(new ChatRole("critic"), "No."), "*'critic'*");
    }

    private static void Refuses(ChatMessage message, string why) =>
        FluentActions.Invoking(() => Map(null, message)).Should().Throw<NotSupportedException>().WithMessage(why);

    private static List<Chat.ChatMessage> Map(string? instructions, params ChatMessage[] messages) => MessageMapping.Map(messages, instructions);
}
