using System.Text.Json;
using System.Text.Json.Nodes;
using FluentAssertions;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using MoeOffload.Chat;
using NUnit.Framework;
using ChatOptions = Microsoft.Extensions.AI.ChatOptions;

namespace MoeOffload.Extensions.AI.Tests;

/// <summary>The options that reach the session.</summary>
[TestFixture]
public sealed class OptionsMappingTests
{
    private static readonly Chat.ChatOptions s_defaults = new()
    {
        MaxTokens = 7,
        Sampling = new SamplingOptions { MinP = 0.2f, Temperature = 0.3f, Penalties = new PenaltiesSampler { Repeat = 1.1f, Presence = 0.4f } },
    };

    [Test]
    public async Task Numbers_replace_the_defaults_and_others_stay()
    {
        Chat.ChatOptions mapped = await Map(new ChatOptions
        {
            Temperature = 0.5f,
            TopP = 0.6f,
            TopK = 8,
            FrequencyPenalty = 0.9f,
            Seed = 42,
            MaxOutputTokens = 5,
            StopSequences = ["END"],
            AllowMultipleToolCalls = false,
        });

        mapped.MaxTokens.Should().Be(5);
        mapped.StopStrings.Should().Equal("END");
        mapped.ParallelToolCalls.Should().BeFalse();
        mapped.Sampling.Should().BeEquivalentTo(new { Temperature = 0.5f, TopP = 0.6f, TopK = 8, MinP = 0.2f, Seed = 42u });
        mapped.Sampling!.Penalties.Should().BeEquivalentTo(new { Repeat = 1.1f, Presence = 0.4f, Frequency = 0.9f });
        (await Map(new ChatOptions())).Should().BeEquivalentTo(s_defaults);
        (await Map(null)).Should().BeSameAs(s_defaults);
    }

    [TestCase(0L, 0u)]
    [TestCase(uint.MaxValue, 0u)]
    [TestCase(-1L, 0u)]
    [TestCase(5_000_000_000L, 705032705u)]
    public async Task Seed_has_32_bits_and_is_never_random(long seed, uint expected) =>
        (await Map(new ChatOptions { Seed = seed })).Sampling!.Seed.Should().Be(expected);

    [Test]
    public async Task Tools_have_their_schemas_and_modes()
    {
        AIFunction paint = AIFunctionFactory.Create(([System.ComponentModel.Description("The color")] string color, int times = 1) => color, "paint", "Paints");
        Chat.ChatOptions mapped = await Map(new ChatOptions { Tools = [paint], ToolMode = ChatToolMode.RequireSpecific("paint") });

        mapped.ToolChoice.Should().Be(ToolChoice.Tool("paint"));
        ToolDefinition tool = mapped.Tools.Should().ContainSingle().Subject;
        (tool.Name, tool.Description).Should().Be(("paint", "Paints"));
        JsonElement schema = JsonDocument.Parse(tool.Parameters).RootElement;
        schema.GetProperty("properties").GetProperty("color").GetProperty("description").GetString().Should().Be("The color");
        schema.GetProperty("required")[0].GetString().Should().Be("color");
        (await Map(new ChatOptions { ToolMode = ChatToolMode.RequireAny })).ToolChoice.Should().Be(ToolChoice.Required);
        (await Map(new ChatOptions { ToolMode = ChatToolMode.None })).ToolChoice.Should().Be(ToolChoice.None);
        (await Map(new ChatOptions { ToolMode = ChatToolMode.Auto })).ToolChoice.Should().Be(ToolChoice.Auto);
    }

    [Test]
    public async Task Formats_are_schemas()
    {
        (await Map(new ChatOptions { ResponseFormat = ChatResponseFormat.Text })).ResponseSchema.Should().BeNull();
        (await Map(new ChatOptions { ResponseFormat = ChatResponseFormat.Json })).ResponseSchema!.ToString().Should().Contain("object");
        (await Map(new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema<int[]>() })).ResponseSchema!.ToString().Should().Contain("integer");
    }

    [Test]
    public async Task Effort_turns_reasoning_on_and_off_and_is_told_to_the_template()
    {
        Chat.ChatOptions high = await Map(new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.High } });
        high.Reasoning.Should().BeTrue();
        high.TemplateArguments["reasoning_effort"]!.GetValue<string>().Should().Be("high");
        (await Map(new ChatOptions { Reasoning = new ReasoningOptions { Effort = ReasoningEffort.None } })).Reasoning.Should().BeFalse();
    }

    [Test]
    public async Task Raw_representation_replaces_the_defaults()
    {
        Chat.ChatOptions mapped = await Map(new ChatOptions
        {
            RawRepresentationFactory = _ => new Chat.ChatOptions { Priority = 3 },
            MaxOutputTokens = 9,
        });
        (mapped.Priority, mapped.MaxTokens, mapped.Sampling!.MinP).Should().Be((3, 9, new SamplingOptions().MinP));
        await Refuses<ArgumentException>(new ChatOptions { RawRepresentationFactory = _ => "text" }, "*System.String*");
    }

    [Test]
    public async Task Additional_properties_are_read_whether_they_are_values_or_json()
    {
        foreach (Func<object, object> form in new Func<object, object>[] { value => value, value => JsonSerializer.SerializeToElement(value) })
        {
            Chat.ChatOptions mapped = await Map(new ChatOptions
            {
                AdditionalProperties = new()
                {
                    ["min_p"] = form(0.01),
                    ["repeat_penalty"] = form(1.5f),
                    ["grammar"] = form("root ::= \"a\""),
                    ["priority"] = form(2),
                    ["deadline"] = form(1.5),
                    ["chat_template_kwargs"] = form(new JsonObject { ["enable_thinking"] = false }),
                },
            });
            mapped.Sampling.Should().BeEquivalentTo(new { MinP = 0.01f, Grammar = "root ::= \"a\"" });
            mapped.Sampling!.Penalties!.Repeat.Should().Be(1.5f);
            mapped.Priority.Should().Be(2);
            mapped.Deadline.Should().Be(TimeSpan.FromSeconds(1.5));
            mapped.TemplateArguments["enable_thinking"]!.GetValue<bool>().Should().BeFalse();
        }

        await Refuses<ArgumentException>(new ChatOptions { AdditionalProperties = new() { ["min_p"] = "much" } }, "*'min_p' must be a number*");
    }

    [Test]
    public async Task Unknown_additional_property_is_logged_once()
    {
        var logger = new ListLogger();
        var mapping = new OptionsMapping(s_defaults, "m", logger);
        for (int i = 0; i < 3; i++)
        {
            await mapping.MapAsync(new ChatOptions { AdditionalProperties = new() { ["mood"] = "good" } }, null, default);
        }

        logger.Lines.Should().ContainSingle().Which.Should().Contain("'mood'");
    }

    [Test]
    public async Task What_cannot_be_done_is_refused()
    {
        await Refuses<NotSupportedException>(new ChatOptions { ModelId = "gpt-5" }, "*'m'*'gpt-5'*");
        await Refuses<NotSupportedException>(new ChatOptions { Tools = [new HostedWebSearchTool()] }, "*HostedWebSearchTool*");
        (await Map(new ChatOptions { ModelId = "m" })).MaxTokens.Should().Be(7);
    }

    private static Task<Chat.ChatOptions> Map(ChatOptions? options) =>
        new OptionsMapping(s_defaults, "m", logger: null).MapAsync(options, new UnusedClient(), default);

    private static async Task Refuses<T>(ChatOptions options, string why)
        where T : Exception => await FluentActions.Awaiting(() => Map(options)).Should().ThrowAsync<T>().WithMessage(why);

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }

    // The factory of a raw representation is called with a client, which none of these factories uses.
    private sealed class UnusedClient : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken) =>
            throw new InvalidOperationException();

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public object? GetService(Type serviceType, object? serviceKey) => null;

        public void Dispose()
        {
        }
    }
}
