using MoeOffload;

namespace TinyMoe.Tests;

/// <summary>Asks the model.</summary>
internal static class Answers
{
    /// <summary>A context of one sequence that computes the same whatever the machine.</summary>
    public static ContextOptions Context { get; } = new() { ContextLength = 512, Threads = { Decode = 1, Prompt = 1 } };

    /// <summary>Returns the greedily generated answer to a message.</summary>
    public static int[] Answer(this GenerationSession session, string message)
    {
        var request = new GenerationRequest
        {
            Prompt = $"<|im_start|>user\n{message}<|im_end|>\n<|im_start|>assistant\n",
            Sampling = SamplingOptions.Greedy,
            MaxTokens = 300,
        };
        using TokenStream stream = session.GenerateAsync(request);
        return [.. stream.ToBlockingEnumerable().Select(token => token.Id)];
    }
}
