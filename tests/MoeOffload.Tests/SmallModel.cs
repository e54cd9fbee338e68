using MoeOffload.Fixtures;

namespace MoeOffload.Tests;

/// <summary>A small model that tests share, loaded once.</summary>
internal static class SmallModel
{
    /// <summary>The model's file.</summary>
    public static TinyModel File { get; } = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 });

    private static readonly Lazy<MoeModel> s_loaded = new(() => MoeModel.Load(File.Path));

    /// <summary>The model. Not to be disposed.</summary>
    public static MoeModel Shared => s_loaded.Value;

    /// <summary>Options of a context that computes on one thread, which disturbs other work on the machine least.</summary>
    public static ContextOptions Context(int length = 256, int sequences = 1) => new()
    {
        ContextLength = length,
        SequenceCount = sequences,
        Threads = { Decode = 1 },
    };

    /// <summary>Generates to the end.</summary>
    public static async Task<List<GeneratedToken>> Read(TokenStream stream)
    {
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in stream)
        {
            tokens.Add(token);
        }

        return tokens;
    }

    /// <summary>The greedy continuation of a prompt as token ids.</summary>
    public static async Task<int[]> Greedy(GenerationSession session, string prompt, int count) =>
        [.. (await Read(session.GenerateAsync(prompt, SamplingOptions.Greedy, count))).Select(token => token.Id)];

    /// <summary>The text of tokens.</summary>
    public static string Text(IEnumerable<GeneratedToken> tokens) => string.Concat(tokens.Select(token => token.Text));
}
