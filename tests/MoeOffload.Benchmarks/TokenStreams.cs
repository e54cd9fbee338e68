namespace MoeOffload.Benchmarks;

internal static class TokenStreams
{
    /// <summary>Reads a stream to its end.</summary>
    public static GenerationStatistics ReadToEnd(TokenStream stream)
    {
        Read().GetAwaiter().GetResult();
        return stream.Statistics ?? throw new InvalidOperationException("The stream ended without statistics.");

        async Task Read()
        {
            await foreach (GeneratedToken token in stream)
            {
                GC.KeepAlive(token.Id);
            }
        }
    }
}
