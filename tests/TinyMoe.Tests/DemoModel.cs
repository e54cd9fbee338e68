using MoeOffload;
using MoeOffload.Fixtures;

namespace TinyMoe.Tests;

/// <summary>The model that comes with the project.</summary>
internal static class DemoModel
{
    public static string Path { get; } = System.IO.Path.Combine(NativeBuild.Repository, "samples", "TinyMoe", "tiny-moe.gguf");

    /// <summary>A context of one sequence that computes the same whatever the machine.</summary>
    public static ContextOptions Context { get; } = new() { ContextLength = 512, Threads = { Decode = 1, Prompt = 1 } };

    /// <summary>What it answers to a message, greedily.</summary>
    public static int[] Answer(GenerationSession session, string message)
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
