using System.Diagnostics;
using System.Globalization;
using LLama;
using LLama.Common;
using LLama.Native;
using LLama.Sampling;

// Measures LLamaSharp with its own native libraries, in a process of its own. Prints numbers, one per line.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
NativeLibraryConfig.All.WithLogCallback((_, _) => { });
switch (args)
{
    case ["rates", string path, string prompt, string decode, string repeats, string threads]:
        MeasureRates(path, int.Parse(prompt), int.Parse(decode), int.Parse(repeats), int.Parse(threads));
        return 0;
    case ["first-token", string path, string context, string prompt, string loads]:
        MeasureFirstToken(path, uint.Parse(context), prompt, int.Parse(loads));
        return 0;
    default:
        Console.Error.WriteLine("usage: rates MODEL PROMPT-TOKENS DECODE-TOKENS REPEATS THREADS | first-token MODEL CONTEXT PROMPT LOADS");
        return 2;
}

// The tokens/s of a prompt, or of decoding if there is a number of tokens to generate: with the greedy sampler and the text of each token, but
// without an executor around them. The first two rounds, which compile the methods, do not count.
static void MeasureRates(string path, int promptCount, int decodeCount, int repeats, int threads)
{
    const int WarmUps = 2;
    ModelParams parameters = Describe(path, (uint)(promptCount + decodeCount), threads);
    using LLamaWeights weights = LLamaWeights.LoadFromFile(parameters);
    using LLamaContext context = weights.CreateContext(parameters);
    var random = new Random(1);
    LLamaToken[] prompt = [.. Enumerable.Range(0, promptCount).Select(_ => (LLamaToken)random.Next(weights.Vocab.Count))];
    for (int round = 0; round < WarmUps + repeats; round++)
    {
        double rate = decodeCount > 0
            ? decodeCount / Generate(context, prompt.AsSpan(0, 1), decodeCount).TotalSeconds
            : promptCount / Generate(context, prompt, 0).TotalSeconds;
        if (round >= WarmUps)
        {
            Console.WriteLine(rate);
        }
    }
}

// The milliseconds of several loads, each with a first token.
static void MeasureFirstToken(string path, uint contextLength, string prompt, int loads)
{
    for (int load = 0; load < loads; load++)
    {
        long start = Stopwatch.GetTimestamp();
        ModelParams parameters = Describe(path, contextLength, threads: 2);
        using LLamaWeights weights = LLamaWeights.LoadFromFile(parameters);
        using LLamaContext context = weights.CreateContext(parameters);
        Generate(context, context.Tokenize(prompt), 0);
        Console.WriteLine(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }
}

static ModelParams Describe(string path, uint contextLength, int threads) => new(path)
{
    ContextSize = contextLength,
    BatchSize = 2048,
    UBatchSize = 512,
    Threads = threads,
    BatchThreads = threads,
    GpuLayerCount = 0,
};

// Computes a prompt and samples a token from it, and then as many more as are wanted. Returns the time of those, or of the prompt if none is.
static TimeSpan Generate(LLamaContext context, ReadOnlySpan<LLamaToken> prompt, int count)
{
    context.NativeHandle.MemoryClear(true);
    using var sampler = new GreedySamplingPipeline();
    var text = new StreamingTokenDecoder(context);
    var batch = new LLamaBatch();
    for (int i = 0; i < prompt.Length; i++)
    {
        batch.Add(prompt[i], i, LLamaSeqId.Zero, i == prompt.Length - 1);
    }

    long start = Stopwatch.GetTimestamp();
    LLamaToken token = Step();
    if (count > 0)
    {
        start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            batch.Clear();
            batch.Add(token, prompt.Length + i, LLamaSeqId.Zero, true);
            token = Step();
        }
    }

    return Stopwatch.GetElapsedTime(start);

    LLamaToken Step()
    {
        if (context.Decode(batch) != DecodeResult.Ok)
        {
            throw new InvalidOperationException("LLamaSharp could not compute a step.");
        }

        LLamaToken next = sampler.Sample(context.NativeHandle, batch.TokenCount - 1);
        text.Add(next);
        text.Read();
        return next;
    }
}
