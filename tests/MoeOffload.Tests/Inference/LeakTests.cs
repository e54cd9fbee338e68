using System.Diagnostics;
using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using MoeOffload.Tests.Images;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Operations that are repeated often leave neither memory nor threads behind.</summary>
[TestFixture, NonParallelizable]
public sealed class LeakTests
{
    // Far below what one leaked model (2 MiB), context (1 MiB) or sampler would add up to, and above what malloc's arenas and the
    // managed heap move by.
    private const long Bound = 16 << 20;
    private const int Rounds = 4;

    [Test]
    public async Task Loads_and_disposals_leave_memory_and_threads_as_they_were()
    {
        string path = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2, VocabularySize = 512 }).Path;
        await Flat(200, async i =>
        {
            using MoeModel model = await MoeModel.LoadAsync(path, new ModelOptions { LoadMode = i % 2 == 0 ? LoadMode.Auto : LoadMode.None });
            await using GenerationSession session = model.CreateSession(SmallModel.Context(64));
            await SmallModel.Greedy(session, "To be", 1);
        });
    }

    [Test]
    public async Task Generations_of_which_a_third_is_cancelled_leave_memory_and_threads_as_they_were()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(1024, sequences: 2));
        await Flat(1000, async i =>
        {
            using var cancellation = new CancellationTokenSource();
            var request = new GenerationRequest
            {
                Prompt = "To be, or not to be, that is the question",
                Sampling = new SamplingOptions { Seed = (uint)i, Grammar = i % 10 == 0 ? "root ::= [a-z ]*" : null },
                MaxTokens = 8,
                StopStrings = i % 2 == 0 ? ["question"] : [],
            };
            int read = 0;
            try
            {
                await foreach (GeneratedToken token in session.GenerateAsync(request, cancellation.Token))
                {
                    read++;
                    if (i % 3 == 0 && read == 1 + (i % 5))
                    {
                        await cancellation.CancelAsync();
                    }
                }
            }
            catch (OperationCanceledException)
            {
                read.Should().BePositive();
            }
        });
    }

    [Test]
    public async Task Loads_that_fail_or_are_cancelled_leave_memory_and_threads_as_they_were()
    {
        string path = SmallModel.File.Path;
        await Flat(60, async i =>
        {
            using var cancellation = new CancellationTokenSource();
            var progress = new Cancelling(cancellation);
            await FluentActions.Awaiting(() => MoeModel.LoadAsync(path, new ModelOptions { LoadMode = LoadMode.None }, progress, cancellation.Token))
                .Should().ThrowAsync<OperationCanceledException>();
        });
    }

    [Test]
    public async Task Adapters_and_embedders_leave_memory_and_threads_as_they_were()
    {
        // 0.7 MiB of factors.
        string path = TinyAdapters.Write(SmallModel.File, TinyAdapters.IsExperts, rank: 32);
        var options = new EmbeddingOptions { ContextLength = 64, Pooling = EmbeddingPooling.Mean, Threads = { Decode = 1 } };
        await Flat(100, async i =>
        {
            using LoraAdapter adapter = await SmallModel.Shared.LoadAdapterAsync(path);
            adapter.Bytes.Should().BeGreaterThan(1 << 19);
            await using Embedder embedder = SmallModel.Shared.CreateEmbedder(options with { Adapters = [new ScaledAdapter(adapter)] });
            using var cancellation = new CancellationTokenSource(i % 3 == 0 ? TimeSpan.FromMicroseconds(500) : Timeout.InfiniteTimeSpan);
            await embedder.EmbedAsync(["To be", "or not"], cancellation.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        });
    }

    [Test]
    public async Task Images_of_which_a_third_is_cancelled_leave_memory_and_threads_as_they_were()
    {
        // Decoded, each has 768 KiB.
        byte[][] images = [.. Enumerable.Range(0, 8).Select(seed => TinyImages.Png(seed, 512, 512))];
        using GenerationSession session = VisionModels.Square.CreateSession(SmallModel.Context(256));
        await Flat(200, async i =>
        {
            using var cancellation = new CancellationTokenSource();
            var message = ChatMessage.User("What is it?", PromptImage.FromBytes([.. images[i % images.Length], (byte)(i / images.Length)]));
            using ChatStream stream = session.ChatAsync([message], new ChatOptions { MaxTokens = 2 }, cancellation.Token);
            Task<ChatUpdate> answer = stream.CompleteAsync();
            if (i % 3 == 0)
            {
                await Task.Delay(i % 4);
                await cancellation.CancelAsync();
                await answer.ContinueWith(_ => { }, TaskScheduler.Default);
            }
            else
            {
                GenerationStatistics statistics = (await answer).Statistics!;
                (statistics.PromptTokens - statistics.CachedPromptTokens).Should().BeGreaterThan(TinyProjectors.Gemma3Tokens, "the images differ");
            }
        });
    }

    // A leak shows in every round; what an arena of malloc or the managed heap grows by once does not.
    private static async Task Flat(int count, Func<int, Task> action)
    {
        for (int i = 0; i < count / 5; i++)
        {
            await action(i);
        }

        (long memory, int threads) = Measure();
        int threadsBefore = threads;
        long least = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < count / Rounds; i++)
            {
                await action((round * (count / Rounds)) + i);
            }

            long before = memory;
            (memory, threads) = Measure();
            least = Math.Min(least, memory - before);
            TestContext.Out.WriteLine($"{(memory - before) / 1024.0:N0} KiB more after {count / Rounds}, {threadsBefore} threads before, {threads} now");
        }

        least.Should().BeLessThan(Bound / Rounds);
        threads.Should().BeLessThanOrEqualTo(threadsBefore + 4, "the thread pool may grow a little");
    }

    private static (long Memory, int Threads) Measure()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return (process.WorkingSet64, process.Threads.Count);
    }

    private sealed class Cancelling(CancellationTokenSource cancellation) : IProgress<float>
    {
        public void Report(float value)
        {
            if (value > 0.3f)
            {
                cancellation.Cancel();
            }
        }
    }
}
