using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Measures the managed bytes allocated per token by all threads, in steady state, without reading the text.</summary>
internal static class Allocation
{
    private const int WarmUp = 256;
    private const int Measured = 2048;

    public static void Run(TinyModel model) => RunAsync(model).GetAwaiter().GetResult();

    private static async Task RunAsync(TinyModel model)
    {
        using MoeModel loaded = MoeModel.Load(model.Path);
        using GenerationSession session = loaded.CreateSession(new ContextOptions { ContextLength = 4096 });
        TokenStream stream = session.GenerateAsync("Once", SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, WarmUp + Measured);
        long before = 0;
        int count = 0;
        await foreach (GeneratedToken token in stream)
        {
            if (++count == WarmUp)
            {
                before = GC.GetTotalAllocatedBytes(precise: true);
            }

            if (count == WarmUp + Measured - 1)
            {
                long bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
                Console.WriteLine($"Managed bytes allocated per token: {(double)bytes / (Measured - 1):0.00} ({bytes} bytes in {Measured - 1} tokens)");
            }
        }
    }
}
