using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Tests.Chat;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Compares the prompts that real models' templates create with those of llama.cpp's server.</summary>
[TestFixtureSource(typeof(RealTemplates), nameof(RealTemplates.Names))]
public sealed class ChatTemplateTests(string template)
{
    private MoeModel _model = null!;
    private LlamaServer _server = null!;

    private static IEnumerable<string> ChatNames => Chats.All.Keys;

    [OneTimeSetUp]
    public void Load()
    {
        string path = RealTemplates.Write(RealTemplates.Read(template), template == RealTemplates.Mixtral ? TinyModels.Llama() : null);
        _model = MoeModel.Load(path);
        _server = LlamaServer.Start(path);
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _server?.Dispose();
        _model?.Dispose();
    }

    [TestCaseSource(nameof(ChatNames))]
    public void Chat_becomes_the_peers_prompt(string chat) =>
        Compare(Chats.Request(Chats.All[chat]), Chats.All[chat], new ChatOptions());

    [TestCaseSource(nameof(ChatNames))]
    public void Chat_with_tools_becomes_the_peers_prompt(string chat) => Compare(
        Chats.Request(Chats.All[chat], Chats.Weather, Chats.Time), Chats.All[chat], new ChatOptions { Tools = [Chats.Weather, Chats.Time] });

    [Test]
    public void Chat_without_reasoning_becomes_the_peers_prompt()
    {
        JsonObject request = Chats.Request(Chats.All["question"]);
        request["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = false };

        Compare(request, Chats.All["question"], new ChatOptions { Reasoning = false });
    }

    [Test]
    public void Template_arguments_become_the_peers_prompt()
    {
        JsonObject request = Chats.Request(Chats.All["question"]);
        request["chat_template_kwargs"] = new JsonObject { ["reasoning_effort"] = "high", ["bos_token"] = "<begin>" };

        Compare(request, Chats.All["question"], new ChatOptions
        {
            TemplateArguments = new Dictionary<string, JsonNode?> { ["reasoning_effort"] = "high", ["bos_token"] = "<begin>" },
        });
    }

    [Test]
    public void Tools_that_must_not_be_called_become_the_peers_prompt()
    {
        JsonObject request = Chats.Request(Chats.All["question"], Chats.Weather);
        request["tool_choice"] = "none";

        Compare(request, Chats.All["question"], new ChatOptions { Tools = [Chats.Weather], ToolChoice = ToolChoice.None });
    }

    [Test]
    public void Tool_that_must_be_called_becomes_the_peers_prompt_or_is_refused_where_the_template_shows_no_tools()
    {
        JsonObject request = Chats.Request(Chats.All["question"], Chats.Weather);
        request["tool_choice"] = "required";
        var options = new ChatOptions { Tools = [Chats.Weather], ToolChoice = ToolChoice.Required };

        string expected = _server.ApplyTemplate(request);
        try
        {
            RenderedChat chat = _model.ChatTemplate.Render(Chats.All["question"], options);

            chat.Prompt.Should().Be(expected);
            chat.Grammar.Should().NotBeNull();
        }
        catch (NotSupportedException exception)
        {
            exception.Message.Should().Contain("does not show tools");
            expected.Should().NotContain(Chats.Weather.Name);
        }
    }

    // What the peer refuses or leaves out is rewritten, without losing text.
    private void Compare(JsonObject request, ChatMessage[] messages, ChatOptions options)
    {
        string prompt = _model.ChatTemplate.Render(messages, options).Prompt;
        try
        {
            string expected = _server.ApplyTemplate(request);
            if (prompt == expected || messages.All(message => expected.Contains(message.Content, StringComparison.Ordinal)))
            {
                prompt.Should().Be(expected);
                return;
            }
        }
        catch (HttpRequestException)
        {
            // The template rejects this kind of chat.
        }

        prompt.Should().ContainAll(messages.Select(message => message.Content).Where(content => content.Length > 0));
    }
}
