using System.Text.Json.Nodes;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Schemas;
using MoeOffload.Tests.Chat;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Answers, their constraints and how they are read, against llama.cpp's server.</summary>
[TestFixture]
public sealed class ChatCompletionTests
{
    private const string Schema = """
        {"type":"object","properties":{"mood":{"enum":["good","bad"]},"marks":{"type":"array","items":{"type":"integer","minimum":0,"maximum":20},"maxItems":3}},"required":["mood","marks"]}
        """;

    private static readonly ToolDefinition s_tool = new()
    {
        Name = "move",
        Description = "Moves a piece",
        Parameters = """{"type":"object","properties":{"to":{"type":"string","maxLength":4},"takes":{"type":"boolean"}},"required":["to","takes"]}""",
    };

    [Test]
    public async Task Answer_is_the_peers(
        [Values("Qwen-Qwen3-0.6B", "openai-gpt-oss-120b", "mistralai-Mistral-Nemo-Instruct-2407", "microsoft-Phi-3.5-mini-instruct")] string template)
    {
        string path = RealTemplates.Write(
            RealTemplates.Read(template), null, null, template == RealTemplates.GptOss ? ["<|channel|>", "<|message|>", "<|start|>", "<|end|>"] : ["<tool_call>\n"]);
        using LlamaServer server = LlamaServer.Start(path, "-c", "4096");
        using MoeModel model = await MoeModel.LoadAsync(path);
        using GenerationSession session = model.CreateSession(SmallModel.Context(length: 4096));

        // A model with random weights does not keep to harmony's frame, nor ever ends its name of a format.
        bool isFramed = template == RealTemplates.GptOss;
        if (!isFramed)
        {
            await Compare("free", new ChatOptions(), _ => { });
        }

        await Compare("schema", new ChatOptions { ResponseSchema = JsonSchema.Parse(Schema) }, request => request["response_format"] = new JsonObject
        {
            ["type"] = "json_schema",
            ["json_schema"] = new JsonObject { ["schema"] = JsonNode.Parse(Schema) },
        });

        // Of the other templates, the peer does not force calls.
        if (template == RealTemplates.Qwen3)
        {
            int begin = model.Vocabulary.Tokenize("<tool_call>\n", addSpecial: false, parseSpecial: true).Single();

            // The bias makes a model with random weights call at all.
            var call = new ChatOptions
            {
                Tools = [s_tool],
                ToolChoice = ToolChoice.Required,
                ParallelToolCalls = false,
                Sampling = SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [begin] = 50 } },
            };
            await Compare("call", call, request =>
            {
                request["tool_choice"] = "required";
                request["parallel_tool_calls"] = false;
                request["logit_bias"] = new JsonArray(new JsonArray(begin, 50));
            });
        }

        async Task Compare(string what, ChatOptions options, Action<JsonObject> change)
        {
            JsonObject request = Chats.Request(Chats.All["question"], options.Tools);
            request["temperature"] = 0;
            request["max_tokens"] = 200;
            request["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = false };
            change(request);
            JsonNode expected = server.Complete(request)["choices"]![0]!;

            ChatUpdate answer = await session.ChatAsync(
                Chats.All["question"], options with { Reasoning = false, MaxTokens = 200, Sampling = options.Sampling ?? SamplingOptions.Greedy }).CompleteAsync();

            answer.Message!.Content.Should().Be((string?)expected["message"]!["content"] ?? string.Empty, "{0} with {1}", what, template);
            answer.Message.ReasoningContent.Should().Be((string?)expected["message"]!["reasoning_content"]);
            answer.Message.ToolCalls.Select(call => (call.Name, call.Arguments)).Should().Equal(
                (expected["message"]!["tool_calls"]?.AsArray() ?? []).Select(call => ((string)call!["function"]!["name"]!, (string)call["function"]!["arguments"]!)));
            (answer.FinishReason switch
            {
                ChatFinishReason.Stop => "stop",
                ChatFinishReason.Length => "length",
                _ => "tool_calls",
            }).Should().Be((string?)expected["finish_reason"]);
        }
    }
}
