using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using FluentAssertions;
using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Inference.Output;
using NUnit.Framework;

namespace MoeOffload.Tests.Chat;

/// <summary>
/// The parser of answers reads all that was generated so far, each time. The tests write the tokens themselves, so that an answer is as long
/// as they like.
/// </summary>
[TestFixture]
public sealed class ChatStreamParsingTests
{
    // Far less than any pass over the answer allocates.
    private const long MostBytes = 16 << 10;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);
    private static readonly string s_long = new StringBuilder().Insert(0, "To be, or not to be. ", 5_000).ToString();

    private MoeModel _model = null!;

    [OneTimeSetUp]
    public void Load() => _model = MoeModel.Load(RealTemplates.Write(RealTemplates.Read(RealTemplates.Qwen3)));

    [OneTimeTearDown]
    public void Unload() => _model.Dispose();

    [Test]
    public void Loop_that_polls_a_long_answer_never_parses_it()
    {
        (ChatStream stream, TokenChannel channel) = Make();
        List<ChatUpdate> updates = [];
        long most = 0;
        int found = 0;
        RunOnThread(() =>
        {
            // The first calls compile the methods.
            stream.TryRead(out _).Should().BeFalse();
            Send(channel, Token("A"));
            ReadUntilNext();
            most = 0;
            for (int part = 0; part < 3; part++)
            {
                Send(channel, Token(s_long));
                TryRead().Should().BeFalse("the call begins to parse and does not wait for it");
                ReadUntilNext();
            }

            channel.Finish(null, null, StopReason.EndOfSequence);
            TryRead().Should().BeFalse("the call begins to parse and does not wait for it");
            stream.IsCompleted.Should().BeFalse();
            ReadUntilNext();
        });

        most.Should().BeLessThan(MostBytes);
        stream.IsCompleted.Should().BeTrue();
        updates[^1].Message!.Content.Should().Be("A" + s_long + s_long + s_long).And.Be(string.Concat(updates.Select(update => update.Content)));

        bool TryRead()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            bool isRead = stream.TryRead(out ChatUpdate update);
            most = Math.Max(most, GC.GetAllocatedBytesForCurrentThread() - before);
            if (isRead)
            {
                updates.Add(update);
                found++;
            }

            return isRead;
        }

        void ReadUntilNext()
        {
            for (int before = found; found == before; Thread.Sleep(1))
            {
                TryRead();
            }
        }
    }

    [Test]
    public void Loop_of_a_user_interface_never_parses_a_long_answer()
    {
        GeneratedToken part = Token(s_long);
        var streams = new Queue<(ChatStream, TokenChannel)>([Make(), Make()]);
        using var context = new LoopContext();

        // The first time compiles the methods.
        context.Run(ReadAsync);
        context.MostBytes = 0;
        context.Run(ReadAsync);

        context.MostBytes.Should().BeLessThan(MostBytes);

        async Task ReadAsync()
        {
            (ChatStream stream, TokenChannel channel) = streams.Dequeue();
            channel.TryRead(out _);
            Send(channel, part);
            int updates = 0;
            await foreach (ChatUpdate update in stream)
            {
                if (updates++ < 3)
                {
                    Send(channel, part);
                }
                else if (stream.StopReason is null)
                {
                    channel.Finish(null, null, StopReason.EndOfSequence);
                }
            }

            if (updates != 5 || stream.Message!.Content.Length != 4 * s_long.Length)
            {
                throw new InvalidOperationException($"There were {updates} updates.");
            }
        }
    }

    [Test]
    public void Polls_during_a_parse_allocate_nothing_and_take_no_tokens()
    {
        (ChatStream stream, TokenChannel channel) = Make();
        stream.TryRead(out _);
        Send(channel, Token(s_long));
        stream.TryRead(out _).Should().BeFalse();
        for (int i = 0; channel.HasRoom(); i++)
        {
            Send(channel, Token("x"));
        }

        long allocated = 0;
        bool isRead = false;
        while (!isRead)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            isRead = stream.TryRead(out _);
            allocated += isRead ? 0 : GC.GetAllocatedBytesForCurrentThread() - before;
            (channel.Room == 0).Should().Be(!isRead, "what comes during a parse waits in the queue, which holds the generation back");
        }

        allocated.Should().Be(0);
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task Each_token_is_part_of_one_update_in_order(int seed)
    {
        const int Count = 3_000;
        var random = new Random(seed);
        (ChatStream stream, TokenChannel channel) = Make();
        channel.TryRead(out _);
        Task writing = Task.Run(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                SpinWait.SpinUntil(channel.HasRoom, s_patience).Should().BeTrue();
                Send(channel, Token($" {i}", i));
                if (random.Next(8) == 0)
                {
                    Thread.Yield();
                }
            }

            channel.Finish(null, null, StopReason.MaxTokens);
        });

        // A part is polled, a part enumerated, and each may find a parse that the other began.
        List<ChatUpdate> updates = [];
        while (updates.Count < 5 && !stream.IsCompleted)
        {
            if (stream.TryRead(out ChatUpdate update))
            {
                updates.Add(update);
            }
        }

        if (seed == 3)
        {
            updates.Add(await stream.CompleteAsync().WaitAsync(s_patience));
        }
        else
        {
            await foreach (ChatUpdate update in stream)
            {
                updates.Add(update);
            }
        }

        await writing.WaitAsync(s_patience);
        string text = string.Concat(Enumerable.Range(0, Count).Select(i => $" {i}"));
        updates.SelectMany(update => update.Tokens).Select(token => token.Id).Should().Equal(Enumerable.Range(0, Count));
        string.Concat(updates.Select(update => update.Content)).Trim().Should().Be(text.Trim());
        updates[^1].Message!.Content.Trim().Should().Be(text.Trim());
        updates[^1].FinishReason.Should().Be(ChatFinishReason.Length);
        stream.IsCompleted.Should().BeTrue();
        stream.TryRead(out _).Should().BeFalse();
    }

    [Test]
    public async Task What_came_before_a_failure_is_read_before_it([Values] bool isPolled)
    {
        (ChatStream stream, TokenChannel channel) = Make();
        channel.TryRead(out _);
        Send(channel, Token("Hello"));
        channel.Finish(new InferenceException("lost"), null);
        string content = string.Empty;

        Func<Task> read = isPolled ? PollAsync : ReadAsync;

        (await read.Should().ThrowAsync<InferenceException>()).WithMessage("lost");
        content.Should().Be("Hello");
        stream.IsCompleted.Should().BeTrue();

        async Task ReadAsync()
        {
            await foreach (ChatUpdate update in stream)
            {
                stream.IsCompleted.Should().BeFalse();
                content += update.Content;
            }
        }

        async Task PollAsync()
        {
            while (!stream.IsCompleted)
            {
                content += stream.TryRead(out ChatUpdate update) ? update.Content : string.Empty;
                await Task.Delay(1);
            }
        }
    }

    [Test]
    public void Answer_that_does_not_parse_is_told_once_and_ends_the_stream()
    {
        (ChatStream stream, TokenChannel channel) = Make("CohereForAI-c4ai-command-r7b-12-2024-tool_use");
        channel.TryRead(out _);
        Send(channel, Token("no frame"));
        channel.Finish(null, null, StopReason.EndOfSequence);

        stream.Awaiting(it => ReadAll(it)).Should().ThrowAsync<InferenceException>().WithMessage("*cannot be parsed*'no frame'*").Wait(s_patience);
        stream.IsCompleted.Should().BeTrue();
        stream.TryRead(out _).Should().BeFalse();

        static async Task ReadAll(ChatStream stream)
        {
            while (!stream.IsCompleted)
            {
                stream.TryRead(out _);
                await Task.Delay(1);
            }
        }
    }

    [Test]
    public async Task Cancelled_stream_throws_instead_of_what_was_parsed_meanwhile()
    {
        using var cancellation = new CancellationTokenSource();
        (ChatStream stream, TokenChannel channel) = Make(cancellationToken: cancellation.Token);
        stream.TryRead(out _);
        Send(channel, Token(s_long));
        stream.TryRead(out _).Should().BeFalse();
        cancellation.Cancel();
        channel.Finish(channel.MakeCancelException(), null);

        Func<Task> read = async () => await stream.CompleteAsync();

        (await read.Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(cancellation.Token);
        stream.IsCompleted.Should().BeTrue();
    }

    [Test]
    public void Stream_that_is_disposed_during_a_parse_leaves_it_what_it_reads()
    {
        for (int run = 0; run < 10; run++)
        {
            DisposeDuringParse();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DisposeDuringParse()
    {
        (ChatStream stream, TokenChannel channel) = Make();
        stream.TryRead(out _);
        Send(channel, Token(s_long));
        stream.TryRead(out _).Should().BeFalse();
        stream.Dispose();
        stream.Invoking(it => it.TryRead(out _)).Should().Throw<ObjectDisposedException>("although the parse may still run");
    }

    private (ChatStream Stream, TokenChannel Channel) Make(string? template = null, CancellationToken cancellationToken = default)
    {
        ChatTemplate parsed = template is null ? _model.ChatTemplate : _model.ParseChatTemplate(RealTemplates.Read(template));
        var source = new ChatSource(
            [ChatMessage.User("Hi")], new ChatOptions { Reasoning = false }, () => parsed, new PromptRoom(4096, _model.Native.Vocabulary, _ => []), NullLogger.Instance);
        source.Complete();
        var channel = new TokenChannel(timeLimit: null, cancellationToken);
        channel.Connect(new Producer());
        return (new ChatStream(new TokenStream(_model, channel), source), channel);
    }

    private static void Send(TokenChannel channel, in GeneratedToken token)
    {
        channel.Write(token);
        channel.HandOver();
    }

    private static GeneratedToken Token(string text, int id = 0) => new(id, Encoding.UTF8.GetBytes(text), float.NaN, null, null);

    private static void RunOnThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join(s_patience).Should().BeTrue();
        failure.Should().BeNull();
    }

    /// <summary>Runs what is posted to it on one thread, as the loop of a user interface does, and counts what each piece allocates.</summary>
    private sealed class LoopContext : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];

        public long MostBytes { get; set; }

        public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

        public void Run(Func<Task> work) => RunOnThread(() =>
        {
            SetSynchronizationContext(this);
            Task? task = null;
            Post(_ => task = work(), null);
            while (task is not { IsCompleted: true })
            {
                _posted.TryTake(out (SendOrPostCallback Callback, object? State) next, s_patience).Should().BeTrue();
                long before = GC.GetAllocatedBytesForCurrentThread();
                next.Callback(next.State);
                MostBytes = Math.Max(MostBytes, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            task.GetAwaiter().GetResult();
        });

        public void Dispose() => _posted.Dispose();
    }

    private sealed class Producer : IUnstartedProducer
    {
        public void Start()
        {
        }

        public void OnCancelled()
        {
        }

        public void OnRoom()
        {
        }
    }
}
