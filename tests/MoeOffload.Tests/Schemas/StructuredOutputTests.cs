using System.Text.Json.Serialization;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Schemas;

[TestFixture]
public sealed partial class StructuredOutputTests
{
    private static readonly SamplingOptions s_random = new() { Temperature = 3, TopK = 0, TopP = 1, MinP = 0, Seed = 7 };

    private MoeModel _model = null!;
    private GenerationSession _session = null!;

    internal enum Mood
    {
        Good,
        Bad,
    }

    internal sealed record Point(byte X, short? Y);

    internal sealed record Node(bool Leaf, Node? Next);

    internal sealed record Everything(
        [property: JsonConverter(typeof(JsonStringEnumConverter<Mood>))] Mood Mood, int Count, Guid Id, TimeOnly At, Point Point, bool[] Flags, double Share);

    [OneTimeSetUp]
    public void Load()
    {
        _model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3), null, null, "<tool_call>\n"));
        _session = _model.CreateSession(SmallModel.Context(length: 4096));
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _session.Dispose();
        _model.Dispose();
    }

    [Test]
    public async Task Prompt_is_continued_by_a_type([Values(1u, 2u, 3u)] uint seed)
    {
        Everything it = await _session.GenerateAsync("Everything: ", Types.Default.Everything, s_random with { Seed = seed });

        it.Point.Should().NotBeNull();
        it.Flags.Should().NotBeNull();
        it.Mood.Should().BeDefined();
    }

    [Test]
    public async Task Chat_is_answered_by_a_type([Values(1u, 2u, 3u)] uint seed)
    {
        Point point = await _session.ChatAsync(
            [ChatMessage.User("Where?")], Types.Default.Point, new ChatOptions { Reasoning = false, Sampling = s_random with { Seed = seed } });

        point.Should().NotBeNull();
    }

    [Test]
    public async Task Type_may_hold_itself()
    {
        Node node = await _session.GenerateAsync("A list: ", Types.Default.Node, s_random, maxTokens: 1500);

        node.Should().NotBeNull();
    }

    [Test]
    public async Task Cut_output_is_an_error_with_what_there_is()
    {
        Func<Task> generate = () => _session.GenerateAsync("Everything: ", Types.Default.Everything, SamplingOptions.Greedy, maxTokens: 5);
        StructuredOutputException cut = (await generate.Should().ThrowAsync<StructuredOutputException>().WithMessage("*cut*allow more tokens*")).Which;
        cut.Output.Should().StartWith("{");

        Func<Task> chat = () => _session.ChatAsync(
            [ChatMessage.User("Where?")], Types.Default.Everything, new ChatOptions { Reasoning = false, MaxTokens = 5 });
        await chat.Should().ThrowAsync<StructuredOutputException>();
    }

    [Test]
    public void Schema_of_a_type_is_what_the_type_can_hold()
    {
        string schema = JsonSchema.For(Types.Default.Point).ToString();

        schema.Should().Contain("255").And.Contain("-32768").And.NotContain("\"type\":[\"object\",\"null\"]");
    }

    [Test]
    public async Task Arguments_of_a_tool_are_a_type()
    {
        ToolDefinition tool = ToolDefinition.For("go", "Goes there", Types.Default.Point);
        int callToken = _model.Vocabulary.Tokenize("<tool_call>\n", addSpecial: false, parseSpecial: true).Single();

        ChatUpdate answer = await _session.ChatAsync([ChatMessage.User("Go")], new ChatOptions
        {
            Tools = [tool],
            ToolChoice = ToolChoice.Required,
            Reasoning = false,
            ParallelToolCalls = false,
            MaxTokens = 300,
            Sampling = s_random with { LogitBias = new Dictionary<int, float> { [callToken] = 50 } },
        }).CompleteAsync();

        answer.Message!.ToolCalls[0].DeserializeArguments(Types.Default.Point).Should().NotBeNull();
    }

    [JsonSerializable(typeof(Everything))]
    [JsonSerializable(typeof(Node))]
    internal sealed partial class Types : JsonSerializerContext;
}
