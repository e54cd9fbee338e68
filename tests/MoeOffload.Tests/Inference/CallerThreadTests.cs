using System.Text;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>
/// A loop that draws sixty times a second hands in inputs of some MiB. What the calls cost is counted on the loop's own thread, in processor
/// time and in bytes, so that other work on the machine changes nothing.
/// </summary>
[TestFixture, NonParallelizable]
public sealed class CallerThreadTests
{
    private const int Size = 4 << 20;
    private const int Frames = 12;

    // The smallest of the inputs is thousands of times as long.
    private const long MostBytes = 16 << 10;

    private static readonly TimeSpan s_most = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan s_frame = TimeSpan.FromSeconds(1 / 60.0);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    private MoeModel _model = null!;

    public static IEnumerable<string> Inputs => ["prompt", "tokens", "grammar", "tools", "chat"];

    [OneTimeSetUp]
    public void Load() => _model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));

    [OneTimeTearDown]
    public void Unload() => _model.Dispose();

    [TestCaseSource(nameof(Inputs))]
    public void Long_input_costs_its_caller_nothing(string kind)
    {
        Func<GenerationSession, IReader> large = Make(kind, Size);
        Func<GenerationSession, IReader> small = Make(kind, 64);
        Exception? failure = null;
        var loop = new Thread(() =>
        {
            try
            {
                // The first calls compile the methods.
                _ = Measure(small, untilPrepared: true);
                (TimeSpan time, long bytes) = Measure(large, untilPrepared: false);
                TestContext.Out.WriteLine($"{kind}: {time.TotalMicroseconds:0} µs and {bytes} bytes in the dearest of {Frames} frames");
                bytes.Should().BeLessThan(MostBytes);
                time.Should().BeLessThan(s_most);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        loop.Start();
        loop.Join();
        failure.Should().BeNull();
    }

    [Test]
    public async Task Short_request_of_another_caller_is_answered_before_long_inputs_are_prepared()
    {
        using GenerationSession session = _model.CreateSession(SmallModel.Context(4096, sequences: 8));
        IReader[] large = [.. Inputs.Select(kind => Make(kind, Size)(session))];
        foreach (IReader reader in large)
        {
            reader.TryRead().Should().BeFalse();
        }

        List<GeneratedToken> answer = await SmallModel.Read(session.GenerateAsync("Hi", SamplingOptions.Greedy, 2)).WaitAsync(s_patience);

        answer.Should().HaveCount(2);
        large[0].IsPrepared.Should().BeFalse();
        large[^1].IsPrepared.Should().BeFalse();
        Array.ForEach(large, reader => reader.Dispose());
    }

    private (TimeSpan Time, long Bytes) Measure(Func<GenerationSession, IReader> make, bool untilPrepared)
    {
        using GenerationSession session = _model.CreateSession(SmallModel.Context(4096));
        (TimeSpan Time, long Bytes) most = (TimeSpan.Zero, 0);
        IReader? reader = null;
        for (int frame = 0; frame < Frames || (untilPrepared && !reader!.IsPrepared); frame++)
        {
            long bytes = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan time = ThreadClock.Now;
            reader ??= make(session);
            bool isRead = false;
            if (!untilPrepared && !TryRead(reader, out isRead))
            {
                break;
            }

            time = ThreadClock.Now - time;
            bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
            (frame > 0 || !isRead).Should().BeTrue("nothing can be prepared as soon");
            most = (time > most.Time ? time : most.Time, Math.Max(bytes, most.Bytes));
            _ = untilPrepared && reader.TryRead();
            Thread.Sleep(s_frame);
        }

        reader!.Dispose();
        return most;
    }

    // Most of the inputs are longer than the context, which is said as soon as they are prepared. That frame throws, and does not count.
    private static bool TryRead(IReader reader, out bool isRead)
    {
        try
        {
            isRead = reader.TryRead();
            return true;
        }
        catch (ContextFullException)
        {
            isRead = false;
            return false;
        }
    }

    private static Func<GenerationSession, IReader> Make(string kind, int size)
    {
        switch (kind)
        {
            case "prompt":
                string prompt = Text(size);
                return session => new TokenReader(session.GenerateAsync(prompt, SamplingOptions.Greedy, 1));
            case "tokens":
                var request = new GenerationRequest { PromptTokens = new int[size], Sampling = SamplingOptions.Greedy, MaxTokens = 1 };
                return session => new TokenReader(session.GenerateAsync(request));
            case "grammar":
                // This is the maximum length. A longer one is rejected as soon as its length is known.
                var sampling = new SamplingOptions { Grammar = Grammar(size / 5) };
                return session => new TokenReader(session.GenerateAsync("To be", sampling, 1));
            case "tools":
                ChatOptions options = new() { Tools = Tools(size), MaxTokens = 1 };
                ChatMessage[] question = [ChatMessage.User("Hi")];
                return session => new ChatReader(session.ChatAsync(question, options));
            default:
                string text = Text(size / 10_000);
                ChatMessage[] messages = [.. Enumerable.Range(0, 10_000).Select(i => i % 2 == 0 ? ChatMessage.User(text) : ChatMessage.Assistant(text))];
                return session => new ChatReader(session.ChatAsync(size == Size ? messages : messages[..1]));
        }
    }

    private static string Text(int size) => new StringBuilder().Insert(0, "To be, or not to be. ", (size / 21) + 1).ToString();

    private static string Grammar(int size)
    {
        var text = new StringBuilder("root ::= \"a\"+\n");
        for (int i = 0; text.Length < size; i++)
        {
            text.Append("rule-").Append(i).Append(" ::= \"some words that nobody says\" | [a-z]\n");
        }

        return text.ToString();
    }

    private static ToolDefinition[] Tools(int size)
    {
        int count = Math.Max(1, size >> 17);
        var schema = new StringBuilder("""{"type":"object","properties":{""");
        for (int i = 0; i == 0 || schema.Length < (size / count) - 100; i++)
        {
            schema.Append(i == 0 ? string.Empty : ",").Append("\"property ").Append(i).Append("\":{\"type\":\"string\"}");
        }

        schema.Append("}}");
        return [.. Enumerable.Range(0, count).Select(i => new ToolDefinition { Name = $"tool{i}", Parameters = schema.ToString() })];
    }

    private interface IReader : IDisposable
    {
        bool IsPrepared { get; }

        bool TryRead();
    }

    private sealed class TokenReader(TokenStream stream) : IReader
    {
        public bool IsPrepared => stream.PromptTokenCount > 0 || stream.IsCompleted;

        public bool TryRead() => stream.TryRead(out _);

        public void Dispose() => stream.Dispose();
    }

    private sealed class ChatReader(ChatStream stream) : IReader
    {
        public bool IsPrepared => stream.PromptTokenCount > 0 || stream.IsCompleted;

        public bool TryRead() => stream.TryRead(out _);

        public void Dispose() => stream.Dispose();
    }
}
