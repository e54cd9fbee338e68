using System.Diagnostics;
using System.Runtime.CompilerServices;
using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Everything can be disposed at any time, in any order, twice, or not at all.</summary>
[TestFixture]
public sealed class DisposalTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Test]
    public void Members_of_a_disposed_model_say_that_it_is_disposed()
    {
        MoeModel model = MoeModel.Load(SmallModel.File.Path);
        model.Dispose();
        model.Dispose();
        Disposed(() => model.CreateSession());
        Disposed(() => model.Vocabulary.Tokenize("a"));
        Disposed(() => model.Vocabulary.Detokenize([1]));
        Disposed(() => model.Vocabulary.IsControl(1));
        Disposed(() => model.Vocabulary.IsEndOfGeneration(1));
        model.Info.Architecture.Should().Be("qwen3moe", "what was read at the load stays");
        model.Placement.Tensors.Should().NotBeEmpty();
        model.Metadata.Should().NotBeEmpty();
    }

    [Test]
    public async Task Members_of_a_disposed_model_whose_sessions_are_open_say_so_too()
    {
        MoeModel model = MoeModel.Load(SmallModel.File.Path);
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        model.Dispose();
        Disposed(() => model.CreateSession(SmallModel.Context()));
        Disposed(() => model.CreateEmbedder());
        Disposed(() => model.LoadAdapter(SmallModel.File.Path));
        Disposed(() => model.ParseChatTemplate("chatml"));
        Disposed(() => model.Vocabulary.Tokenize("a"));
        SpeculationOptions speculation = new() { DraftModel = model };
        Disposed(() => SmallModel.Shared.CreateSession(SmallModel.Context() with { Speculation = speculation }));
        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3);
    }

    [Test]
    public async Task Members_of_a_disposed_session_say_that_it_is_disposed()
    {
        GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        TokenStream unread = session.GenerateAsync("To be", SamplingOptions.Greedy, 4);
        session.Dispose();
        session.Dispose();
        await session.DisposeAsync();
        Disposed(() => session.GenerateAsync("To be"));
        Disposed(() => unread.TryRead(out _));
        unread.Dispose();
        session.ContextLength.Should().Be(256);
    }

    [Test]
    public async Task Members_of_a_disposed_stream_say_that_it_is_disposed()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        TokenStream stream = session.GenerateAsync("To be", SamplingOptions.Greedy);
        stream.TryRead(out _);
        stream.Dispose();
        stream.Dispose();
        await stream.DisposeAsync();
        Disposed(() => stream.TryRead(out _));
        stream.IsCompleted.Should().BeTrue();
        stream.StopReason.Should().BeNull();
        await FluentActions.Awaiting(() => SmallModel.Read(stream)).Should().ThrowAsync<ObjectDisposedException>();
        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3, "the session is free again");
    }

    [Test]
    public async Task Session_goes_on_when_its_model_is_disposed()
    {
        MoeModel model = MoeModel.Load(SmallModel.File.Path);
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        int[] before = await SmallModel.Greedy(session, "To be", 8);
        TokenStream stream = session.GenerateAsync("To be", SamplingOptions.Greedy, 8);
        stream.TryRead(out _);
        model.Dispose();
        (await SmallModel.Read(stream)).Should().HaveCountGreaterThan(6);
        (await SmallModel.Greedy(session, "To be", 8)).Should().Equal(before);
    }

    [Test]
    public async Task Stream_ends_when_its_session_is_disposed()
    {
        GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));
        TokenStream stream = session.GenerateAsync("To be", SamplingOptions.Greedy);
        Task<List<GeneratedToken>> reading = Task.Run(() => SmallModel.Read(stream));
        while (!reading.IsCompleted && stream.Statistics is null && session.Memory.Total.TotalBytes > 0)
        {
            await Task.Delay(20);
            await session.DisposeAsync();
        }

        await FluentActions.Awaiting(() => reading.WaitAsync(s_patience)).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Test]
    public async Task Session_that_is_disposed_while_another_thread_uses_it_ends_both()
    {
        for (int run = 0; run < 30; run++)
        {
            GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(512, sequences: 4));
            Task[] users = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
            {
                while (true)
                {
                    await using TokenStream stream = session.GenerateAsync("To be", SamplingOptions.Greedy, 3);
                    await SmallModel.Read(stream);
                }
            }))];
            await Task.Delay(run);
            session.Dispose();
            foreach (Task user in users)
            {
                await FluentActions.Awaiting(() => user.WaitAsync(s_patience)).Should().ThrowAsync<ObjectDisposedException>();
            }
        }
    }

    [Test]
    public void Session_that_is_dropped_ends_its_thread()
    {
        Task ended = DropSession(read: 0);
        Collect(() => ended.IsCompleted).Should().BeTrue();
    }

    [Test]
    public void Session_and_half_read_stream_that_are_dropped_end_their_thread()
    {
        Task ended = DropSession(read: 3);
        Collect(() => ended.IsCompleted).Should().BeTrue();
    }

    [Test]
    public async Task Session_that_is_disposed_by_a_callback_on_its_own_thread_ends_without_waiting_for_it()
    {
        GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        int shown = 0;
        Task reading = session.ReadLogitsAsync([1, 2, 3], (_, _) =>
        {
            shown++;
            session.Dispose();
        });
        await FluentActions.Awaiting(() => reading.WaitAsync(s_patience)).Should().ThrowAsync<ObjectDisposedException>();
        shown.Should().Be(1);
        await session.Ended.WaitAsync(s_patience);
        Disposed(() => session.GenerateAsync("To be"));
    }

    [Test]
    public async Task Stream_that_is_dropped_frees_its_place()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096) with { QueueLimit = 0 });
        DropStream(session);
        FluentActions.Invoking(() => session.GenerateAsync("To be").TryRead(out _)).Should().Throw<QueueFullException>();
        Collect(() => CanStart(session)).Should().BeTrue();
        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3);

        static bool CanStart(GenerationSession session)
        {
            using TokenStream stream = session.GenerateAsync("To be", SamplingOptions.Greedy, 1);
            try
            {
                stream.TryRead(out _);
                return true;
            }
            catch (QueueFullException)
            {
                return false;
            }
        }
    }

    [Test]
    public void Model_that_is_dropped_gives_its_memory_back()
    {
        WeakReference model = DropModel();
        Collect(() => !model.IsAlive).Should().BeTrue();
    }

    private static void Disposed(Action action) => action.Should().Throw<ObjectDisposedException>();

    private static bool Collect(Func<bool> until)
    {
        long start = Stopwatch.GetTimestamp();
        while (!until())
        {
            if (Stopwatch.GetElapsedTime(start) > s_patience)
            {
                return false;
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(20);
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task DropSession(int read)
    {
        GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));
        TokenStream stream = session.GenerateAsync("To be", SamplingOptions.Greedy);
        while (read > 0)
        {
            read -= stream.TryRead(out _) ? 1 : 0;
        }

        return session.Ended;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropStream(GenerationSession session)
    {
        TokenStream stream = session.GenerateAsync("To be", SamplingOptions.Greedy);
        while (!stream.TryRead(out _))
        {
            Thread.Sleep(1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference DropModel() => new(MoeModel.Load(SmallModel.File.Path).Native.Handle);
}
