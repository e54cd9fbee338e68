using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Inference;
using MoeOffload.Native;

namespace MoeOffload.Tests;

/// <summary>Generates a text for a prompt.</summary>
internal static class Generations
{
    private const string Prompt = "The quick brown fox jumps over the lazy dog";

    /// <summary>A context that is quick to make, and computes the same whatever the machine.</summary>
    public static ContextOptions SmallContext { get; } = new()
    {
        ContextLength = 256,
        Threads = new ThreadOptions { Decode = 1, Prompt = 1 },
    };

    /// <summary>The ids of greedily chosen tokens.</summary>
    public static List<int> Greedy(this MoeModel model, int count = 24)
    {
        using GenerationSession session = model.CreateSession(SmallContext);
        return session.Greedy(count);
    }

    /// <inheritdoc cref="Greedy(MoeModel, int)"/>
    public static List<int> Greedy(this GenerationSession session, int count = 24)
    {
        using TokenStream stream = session.GenerateAsync(Prompt, SamplingOptions.Greedy, count);
        return [.. stream.ToBlockingEnumerable().Select(token => token.Id)];
    }

    /// <summary>The logits after the prompt.</summary>
    public static float[] Logits(this MoeModel model)
    {
        using NativeContext context = NativeContext.Create(
            model.Native.Handle, new ContextParameters(SmallContext, expertsOffloaded: false).ToSettings(), NullLogger.Instance);
        int[] tokens = model.Vocabulary.Tokenize(Prompt);
        for (int i = 0; i < tokens.Length; i++)
        {
            context.Add(tokens[i], i, 0, wantsLogits: i == tokens.Length - 1);
        }

        context.Decode();
        float[] logits = new float[context.VocabularySize];
        context.CopyLogits(-1, logits);
        return logits;
    }
}
