using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests;

/// <summary>Counts the managed memory that a generation in steady state costs, on the two threads that work for it.</summary>
/// <remarks>
/// The count of the whole process would hold what the runtime itself allocates meanwhile, which depends on the machine and its load:
/// the thread pool's bookkeeping, timers, the compiler. Those are on other threads.
/// </remarks>
internal static class SteadyState
{
    /// <summary>The least number of tokens that are counted.</summary>
    public const int Tokens = 400;

    /// <summary>Tokens that are enough for all of it.</summary>
    public const int MaxTokens = 1200;

    // One object for each token would be at least 24 bytes times 400. What is left below it is made once: where a buffer grows, or code
    // runs for the first time.
    private const long Tolerance = 1024;

    // What a stream has at the first reading depends on which thread was ahead; pools and lists have their sizes by then.
    private const int WarmUp = 100;

    // As many tokens as the session may be ahead of its reader.
    private const int Ahead = 256;

    /// <summary>A context with room for the generation, and another sequence for measurements on the session's thread.</summary>
    public static ContextOptions Context => SmallModel.Context(2 * 2048, sequences: 2);

    /// <summary>Reads tokens by <c>MoveNextAsync</c>, as <c>await foreach</c> does, and asserts that none of them costs memory.</summary>
    public static async Task EnumerateAsync(GenerationSession session, GenerationRequest request)
    {
        IAsyncEnumerator<GeneratedToken> tokens = session.GenerateAsync(request).GetAsyncEnumerator();
        await using (tokens.ConfigureAwait(false))
        {
            for (int read = 0; read < WarmUp; read++)
            {
                (await tokens.MoveNextAsync().ConfigureAwait(false)).Should().BeTrue();
            }

            long sessionBefore = await ReadSessionAsync(session).ConfigureAwait(false);
            long reader = 0;
            int bytes = 0;
            for (int read = 0; read < Tokens + Ahead; read++)
            {
                // After a wait the loop goes on on another thread; what the wait itself resumes is TryRead, which the test of it counts.
                long before = GC.GetAllocatedBytesForCurrentThread();
                ValueTask<bool> next = tokens.MoveNextAsync();
                reader += GC.GetAllocatedBytesForCurrentThread() - before;
                bool isRead = await next.ConfigureAwait(false);
                before = GC.GetAllocatedBytesForCurrentThread();
                bytes += isRead ? tokens.Current.Utf8.Length : 0;
                reader += GC.GetAllocatedBytesForCurrentThread() - before;
                isRead.Should().BeTrue();
            }

            bytes.Should().BePositive();
            Check(reader, await ReadSessionAsync(session).ConfigureAwait(false) - sessionBefore - await ReadingCostAsync(session).ConfigureAwait(false));
        }
    }

    /// <summary>Reads tokens by <see cref="TokenStream.TryRead"/> and asserts that none of them costs memory.</summary>
    public static void Poll(GenerationSession session, GenerationRequest request)
    {
        using TokenStream stream = session.GenerateAsync(request);
        Read(stream, WarmUp);
        long sessionBefore = ReadSessionAsync(session).GetAwaiter().GetResult();
        long readerBefore = GC.GetAllocatedBytesForCurrentThread();
        Read(stream, Tokens + Ahead);
        long reader = GC.GetAllocatedBytesForCurrentThread() - readerBefore;
        long sessionBytes = ReadSessionAsync(session).GetAwaiter().GetResult() - sessionBefore;
        stream.Dispose();
        Check(reader, sessionBytes - ReadingCostAsync(session).GetAwaiter().GetResult());
    }

    private static void Read(TokenStream stream, int count)
    {
        for (int read = 0; read < count; read += stream.TryRead(out _) ? 1 : 0)
        {
            Thread.Yield();
        }
    }

    // A reading is itself a command to the session's thread.
    private static async Task<long> ReadingCostAsync(GenerationSession session)
    {
        long before = await ReadSessionAsync(session).ConfigureAwait(false);
        return await ReadSessionAsync(session).ConfigureAwait(false) - before;
    }

    // Logits are read on the thread that computes.
    private static async Task<long> ReadSessionAsync(GenerationSession session)
    {
        long bytes = 0;
        await session.ReadLogitsAsync([1], (_, _) => bytes = GC.GetAllocatedBytesForCurrentThread()).ConfigureAwait(false);
        return bytes;
    }

    private static void Check(long reader, long session)
    {
        TestContext.Out.WriteLine($"For at least {Tokens} tokens: {reader} bytes by the reader, {session} bytes by the session.");
        reader.Should().BeLessThanOrEqualTo(Tolerance);
        session.Should().BeLessThanOrEqualTo(Tolerance);
    }
}
