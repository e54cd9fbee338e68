using System.Text.Json;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Schemas;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

[TestFixture]
public sealed class ChatStreamTests
{
    private static readonly ToolDefinition s_paint = new()
    {
        Name = "paint",
        Description = "Paints",
        Parameters = """{"type":"object","properties":{"color":{"enum":["red","blue"]},"times":{"type":"integer","minimum":1,"maximum":3}},"required":["color","times"],"additionalProperties":false}""",
    };

    private static readonly ToolDefinition s_wait = new() { Name = "wait", Description = "Waits", Parameters = """{"type":"object","properties":{},"additionalProperties":false}""" };

    private MoeModel _model = null!;
    private GenerationSession _session = null!;

    [OneTimeSetUp]
    public void Load()
    {
        _model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));
        _session = _model.CreateSession(SmallModel.Context(length: 4096, sequences: 2));
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _session.Dispose();
        _model.Dispose();
    }

    [Test]
    public async Task Updates_add_up_to_the_message_and_the_last_one_tells_why_it_ended()
    {
        List<ChatUpdate> updates = await Read(_session.ChatAsync([ChatMessage.User("Hi")], Options(maxTokens: 40) with { Reasoning = false }));

        ChatUpdate last = updates[^1];
        last.FinishReason.Should().Be(ChatFinishReason.Length);
        last.Statistics!.GeneratedTokens.Should().Be(40);
        last.Message!.Content.Should().NotBeEmpty().And.Be(string.Concat(updates.Select(update => update.Content)));
        updates.SkipLast(1).Should().NotContain(update => update.FinishReason != null || update.Message != null || update.Statistics != null);
    }

    [Test]
    public void Poll_that_finds_nothing_allocates_nothing()
    {
        using GenerationSession session = _model.CreateSession(SmallModel.Context(length: 4096));
        using TokenStream blocking = session.GenerateAsync("Hi", SamplingOptions.Greedy with { IgnoreEndOfSequence = true });
        blocking.TryRead(out _);
        using ChatStream waiting = session.ChatAsync([ChatMessage.User("Hi")], Options(maxTokens: 4));
        waiting.TryRead(out _).Should().BeFalse();
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool found = false;
        for (int frame = 0; frame < 1000; frame++)
        {
            found |= waiting.TryRead(out _);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        found.Should().BeFalse("the place is taken by a stream that nobody reads on");
    }

    [Test]
    public async Task Thoughts_come_apart()
    {
        RenderedChat chat = _model.ChatTemplate.Render([ChatMessage.User("Hi")]);
        chat.Prompt.Should().NotContain("<think>", "the model begins to think by itself");

        // The grammar has it think first.
        var options = Options(maxTokens: 60) with
        {
            Sampling = SamplingOptions.Greedy with { Grammar = """root ::= "<think>\n" [a-z ]{8,12} "</think>\n\n" [A-Z ]{8,12}""" },
        };
        List<ChatUpdate> updates = await Read(_session.ChatAsync([ChatMessage.User("Hi")], options));

        ChatMessage message = updates[^1].Message!;
        message.ReasoningContent.Should().MatchRegex("^[a-z ]+$").And.Be(string.Concat(updates.Select(update => update.ReasoningContent)));
        message.Content.Should().MatchRegex("^[A-Z ]+$").And.Be(string.Concat(updates.Select(update => update.Content)));
        updates[^1].FinishReason.Should().Be(ChatFinishReason.Stop);
    }

    [Test]
    public async Task Required_call_comes_in_parts_with_valid_arguments([Values(1u, 2u, 3u)] uint seed)
    {
        // A model with random weights calls a tool if the token that begins a call is the most probable one.
        using MoeModel model = await MoeModel.LoadAsync(RealTemplates.Write(RealTemplates.Read("mistralai-Mistral-Nemo-Instruct-2407"), null, null, "[TOOL_CALLS]"));
        using GenerationSession session = model.CreateSession(SmallModel.Context(length: 2048));
        int callToken = model.Vocabulary.Tokenize("[TOOL_CALLS]", addSpecial: false, parseSpecial: true).Single();
        ChatOptions options = Options(maxTokens: 1000) with
        {
            Tools = [s_paint, s_wait],
            ToolChoice = ToolChoice.Tool("paint"),
            ParallelToolCalls = false,
            Reasoning = false,
            Sampling = new SamplingOptions { Seed = seed, Temperature = 3, TopK = 0, TopP = 1, MinP = 0, LogitBias = new Dictionary<int, float> { [callToken] = 50 } },
        };

        List<ChatUpdate> updates = await Read(session.ChatAsync([ChatMessage.User("Paint")], options));

        ChatUpdate last = updates[^1];
        last.FinishReason.Should().Be(ChatFinishReason.ToolCalls, "of {0}", last.Message);
        last.Message!.ToolCalls.Should().OnlyContain(call => call.Name == "paint");
        ToolCall first = last.Message.ToolCalls[0];
        ToolCallUpdate[] parts = [.. updates.SelectMany(update => update.ToolCalls).Where(part => part.Index == 0)];
        parts[0].Id.Should().Be(first.Id);
        parts[0].Name.Should().Be("paint");
        parts.Skip(1).Should().NotContain(part => part.Id != null || part.Name != null);
        string.Concat(parts.Select(part => part.Arguments)).Should().Be(first.Arguments);
        using JsonDocument arguments = JsonDocument.Parse(first.Arguments);
        arguments.RootElement.GetProperty("color").GetString().Should().BeOneOf("red", "blue");
        arguments.RootElement.GetProperty("times").GetInt32().Should().BeInRange(1, 3);

        // This template refuses ids of another form than its model was trained on.
        model.ChatTemplate.Render([ChatMessage.User("Paint"), last.Message, ChatMessage.ToolResult(first, "painted")], options)
            .Prompt.Should().Contain(first.Id);
    }

    // Some templates name the token that ends an answer among those that are part of its format.
    [Test]
    public async Task Token_that_ends_the_answer_is_not_part_of_it()
    {
        const string End = "<｜end▁of▁sentence｜>";
        using MoeModel model = await MoeModel.LoadAsync(RealTemplates.Write(
            RealTemplates.Read("deepseek-ai-DeepSeek-R1-Distill-Qwen-32B"), endToken: End));
        using GenerationSession session = model.CreateSession(SmallModel.Context(length: 2048));
        int end = model.Vocabulary.Tokenize(End, addSpecial: false, parseSpecial: true).Single();
        model.Vocabulary.IsEndOfGeneration(end).Should().BeTrue();
        model.ChatTemplate.Render([ChatMessage.User("Hi")], new ChatOptions { Tools = [s_wait] }).PreservedTokens.Should().Contain(End);

        ChatUpdate answer = await session.ChatAsync([ChatMessage.User("Hi")], new ChatOptions
        {
            Tools = [s_wait],
            Reasoning = false,
            MaxTokens = 5,
            Sampling = SamplingOptions.Greedy with { LogitBias = new Dictionary<int, float> { [end] = 1000 } },
        }).CompleteAsync();

        answer.FinishReason.Should().Be(ChatFinishReason.Stop);
        answer.Message!.Content.Should().BeEmpty();
    }

    [Test]
    public async Task Answer_can_be_read_without_waiting()
    {
        using ChatStream stream = _session.ChatAsync([ChatMessage.User("Hi")], Options(maxTokens: 20) with { Reasoning = false });
        string content = string.Empty;
        while (!stream.IsCompleted)
        {
            if (stream.TryRead(out ChatUpdate update))
            {
                content += update.Content;
            }
            else
            {
                await Task.Delay(1);
            }
        }

        stream.Message!.Content.Should().Be(content).And.NotBeEmpty();
        stream.TryRead(out _).Should().BeFalse();
    }

    [Test]
    public async Task Updates_have_all_tokens_once_with_the_probabilities_that_were_asked_for()
    {
        ChatOptions options = Options(maxTokens: 30) with { Reasoning = false, Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 2 } };
        ChatStream stream = _session.ChatAsync([ChatMessage.User("Hi")], options);
        List<ChatUpdate> updates = await Read(stream);

        GeneratedToken[] tokens = [.. updates.SelectMany(update => update.Tokens)];
        tokens.Should().HaveCount(stream.Statistics!.GeneratedTokens).And.OnlyContain(token => token.TopLogProbabilities.Count == 2);
        string.Concat(tokens.Select(token => token.Text)).Should().Be(updates[^1].Message!.Content);
        stream.PromptTokenCount.Should().Be(stream.Statistics.PromptTokens);
    }

    [Test]
    public async Task Answer_tells_which_stop_string_ended_it()
    {
        ChatOptions options = Options(maxTokens: 30) with { Reasoning = false };
        string text = (await _session.ChatAsync([ChatMessage.User("Hi")], options).CompleteAsync()).Message!.Content;
        string stop = text[^4..];
        ChatStream stream = _session.ChatAsync([ChatMessage.User("Hi")], options with { StopStrings = ["never to be found", stop] });
        ChatUpdate last = await stream.CompleteAsync();

        last.FinishReason.Should().Be(ChatFinishReason.Stop);
        last.Message!.Content.Should().Be(text[..text.IndexOf(stop, StringComparison.Ordinal)]);
        stream.StopString.Should().Be(stop);
        stream.StopReason.Should().Be(StopReason.StopString);
    }

    [Test]
    public async Task Answer_whose_time_is_over_is_cut()
    {
        ChatOptions options = Options(maxTokens: 3000) with { Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true } };
        ChatStream stream = _session.ChatAsync([ChatMessage.User("Hi")], options with { Deadline = TimeSpan.FromMilliseconds(100) });
        ChatUpdate last = await stream.CompleteAsync();

        last.FinishReason.Should().Be(ChatFinishReason.Length);
        last.Message.Should().NotBeNull();
        stream.StopReason.Should().Be(StopReason.Deadline);
        last.Statistics!.GeneratedTokens.Should().BeLessThan(3000);
    }

    [Test]
    public async Task Cancelling_ends_it()
    {
        using var cancel = new CancellationTokenSource();
        ChatStream stream = _session.ChatAsync(
            [ChatMessage.User("Hi")], Options(maxTokens: 3000) with { Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true } }, cancel.Token);

        Func<Task> read = async () =>
        {
            await foreach (ChatUpdate update in stream)
            {
                cancel.Cancel();
            }
        };

        (await read.Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(cancel.Token);
        stream.IsCompleted.Should().BeTrue();
    }

    [Test]
    public async Task Leaving_the_loop_gives_the_place_back()
    {
        for (int i = 0; i < 4; i++)
        {
            await foreach (ChatUpdate update in _session.ChatAsync([ChatMessage.User("Hi")], Options(maxTokens: 3000)))
            {
                break;
            }
        }

        (await _session.ChatAsync([ChatMessage.User("Hi")], Options(maxTokens: 4)).CompleteAsync()).FinishReason.Should().Be(ChatFinishReason.Length);
    }

    [Test]
    public async Task Options_that_contradict_each_other_are_refused()
    {
        ChatMessage[] messages = [ChatMessage.User("Hi")];
        JsonSchema schema = JsonSchema.Parse("""{"type":"integer"}""");
        _session.Invoking(it => it.ChatAsync([])).Should().Throw<ArgumentException>().WithMessage("*no messages*");
        await Refuses(new ChatOptions { Tools = [s_paint, s_paint] }, "*Two tools*paint*");
        await Refuses(new ChatOptions { Tools = [s_paint with { Name = "a b" }] }, "*'a b'*white space*");
        await Refuses(new ChatOptions { Tools = [s_paint with { Parameters = "[]" }] }, "*paint*not a JSON object*");
        await Refuses(new ChatOptions { Tools = [s_paint with { Parameters = "{" }] }, "*paint*not valid JSON*");
        await Refuses(new ChatOptions { ToolChoice = ToolChoice.Required }, "*Tools is empty*");
        await Refuses(new ChatOptions { Tools = [s_paint], ToolChoice = ToolChoice.Tool("draw") }, "*'draw'*paint*");
        await Refuses(new ChatOptions { Tools = [s_paint], Sampling = new() { Grammar = "root ::= \"a\"" } }, "*Grammar*");
        await Refuses(new ChatOptions { Sampling = new() { JsonSchema = schema } }, "*ResponseSchema*");
        await Refuses(new ChatOptions { StopStrings = [string.Empty] }, "*stop string*");
        await Refuses(new ChatOptions { MaxTokens = 0 }, "*MaxTokens*");
        await Refuses(new ChatOptions { Deadline = TimeSpan.Zero }, "*Deadline*");

        async Task Refuses(ChatOptions options, string message) =>
            await _session.Awaiting(it => it.ChatAsync(messages, options).StartAsync()).Should().ThrowAsync<ArgumentException>().WithMessage(message);
    }

    private static ChatOptions Options(int maxTokens) => new() { MaxTokens = maxTokens, Sampling = SamplingOptions.Greedy };

    private static async Task<List<ChatUpdate>> Read(ChatStream stream)
    {
        List<ChatUpdate> updates = [];
        await foreach (ChatUpdate update in stream)
        {
            updates.Add(update);
        }

        return updates;
    }
}
