using System.Text.Json.Serialization;
using FluentAssertions;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using MoeOffload.Fixtures;
using NUnit.Framework;
using FunctionCallContent = Microsoft.Extensions.AI.FunctionCallContent;
using FunctionResultContent = Microsoft.Extensions.AI.FunctionResultContent;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>Calls of tools by a model that begins its answers with a call, because a bias makes it; the grammar does the rest.</summary>
[TestFixture]
public sealed class ToolTests
{
    private const string CallToken = "[TOOL_CALLS]";

    private MoeModel _model = null!;
    private IChatClient _client = null!;

    [OneTimeSetUp]
    public async Task Load()
    {
        _model = await MoeModel.LoadAsync(RealTemplates.Write(RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407"), null, null, CallToken));
        int call = _model.Vocabulary.Tokenize(CallToken, addSpecial: false, parseSpecial: true).Single();
        _client = _model.AsChatClient(new ContextOptions { ContextLength = 4096 }, new MoeChatClientOptions
        {
            Defaults = new Chat.ChatOptions
            {
                Reasoning = false,
                ParallelToolCalls = false,
                MaxTokens = 1000,
                Sampling = new SamplingOptions { Seed = 1, Temperature = 3, TopK = 0, TopP = 1, MinP = 0, LogitBias = new Dictionary<int, float> { [call] = 50 } },
            },
        });
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _client.Dispose();
        _model.Dispose();
    }

    [Test]
    public async Task Call_has_the_arguments_of_the_schema([Values] bool isStreamed)
    {
        AIFunctionDeclaration paint = AIFunctionFactory.Create((Color color, bool again) => "done", "paint", "Paints").AsDeclarationOnly();
        var options = new ChatOptions { Tools = [paint], ToolMode = ChatToolMode.RequireAny };
        ChatMessage[] messages = [new(ChatRole.User, "Paint.")];
        ChatResponse response = isStreamed
            ? await _client.GetStreamingResponseAsync(messages, options).ToChatResponseAsync()
            : await _client.GetResponseAsync(messages, options);

        response.FinishReason.Should().Be(ChatFinishReason.ToolCalls, "of {0}", response.Text);
        FunctionCallContent call = response.Messages.Single().Contents.OfType<FunctionCallContent>().Should().ContainSingle().Subject;
        call.Name.Should().Be("paint");
        call.CallId.Should().HaveLength(9, "the template requires it");
        call.Exception.Should().BeNull();
        call.Arguments!["color"]!.ToString().Should().BeOneOf("Red", "Blue");
    }

    [Test]
    public async Task Function_is_invoked_with_typed_arguments_and_its_result_goes_back()
    {
        List<(Color Color, bool Again)> calls = [];
        AIFunction paint = AIFunctionFactory.Create((Color color, bool again) =>
        {
            calls.Add((color, again));
            return $"painted {color}";
        }, "paint", "Paints");
        IChatClient client = _client.AsBuilder().UseFunctionInvocation(configure: invoking => invoking.MaximumIterationsPerRequest = 2).Build();

        ChatResponse response = await client.GetResponseAsync(
            [new ChatMessage(ChatRole.User, "Paint.")], new ChatOptions { Tools = [paint], ToolMode = ChatToolMode.RequireAny });

        calls.Should().NotBeEmpty();
        calls.Should().OnlyContain(call => Enum.IsDefined(call.Color));
        FunctionResultContent result = response.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().First();
        result.Result!.ToString().Should().Be($"painted {calls[0].Color}");
    }

    [Test]
    public async Task Plugin_of_semantic_kernel_is_called([Values] bool isStreamed)
    {
        List<Color> calls = [];
        Kernel kernel = Kernel.CreateBuilder().Build();
        kernel.ImportPluginFromFunctions("brush", [KernelFunctionFactory.CreateFromMethod(
            (Color color) =>
            {
                calls.Add(color);
                return $"painted {color}";
            },
            "paint", "Paints")]);
        kernel.AutoFunctionInvocationFilters.Add(new StopAfterCall());
        IChatCompletionService service = _client.AsBuilder().UseKernelFunctionInvocation().Build().AsChatCompletionService();
        var settings = new PromptExecutionSettings { FunctionChoiceBehavior = FunctionChoiceBehavior.Required() };
        var history = new ChatHistory("Use the brush.");
        history.AddUserMessage("Paint.");

        if (isStreamed)
        {
            await foreach (StreamingChatMessageContent part in service.GetStreamingChatMessageContentsAsync(history, settings, kernel))
            {
                part.Role.Should().NotBe(AuthorRole.User);
            }
        }
        else
        {
            await service.GetChatMessageContentAsync(history, settings, kernel);
        }

        calls.Should().NotBeEmpty().And.OnlyContain(color => Enum.IsDefined(color));
    }

    [Test]
    public async Task Agent_calls_its_tool()
    {
        List<Color> calls = [];
        AIFunction paint = AIFunctionFactory.Create((Color color) =>
        {
            calls.Add(color);
            return $"painted {color}";
        }, "paint", "Paints");
        IChatClient client = _client.AsBuilder().UseFunctionInvocation(configure: invoking => invoking.MaximumIterationsPerRequest = 2).Build();
        AIAgent agent = new ChatClientAgent(client, instructions: "Use the brush.", tools: [paint]);

        AgentResponse response = await agent.RunAsync("Paint.", options: new ChatClientAgentRunOptions(new ChatOptions { ToolMode = ChatToolMode.RequireAny }));

        calls.Should().NotBeEmpty().And.OnlyContain(color => Enum.IsDefined(color));
        response.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().First().Result!.ToString().Should().Be($"painted {calls[0]}");
    }

    // The model would call for ever.
    private sealed class StopAfterCall : IAutoFunctionInvocationFilter
    {
        public async Task OnAutoFunctionInvocationAsync(AutoFunctionInvocationContext context, Func<AutoFunctionInvocationContext, Task> next)
        {
            await next(context);
            context.Terminate = true;
        }
    }

    // Semantic Kernel deserializes the names of an enumeration only if its type says so.
    [JsonConverter(typeof(JsonStringEnumConverter<Color>))]
    public enum Color
    {
        Red,
        Blue,
    }
}
