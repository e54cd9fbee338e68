using MoeOffload.Chat;
using MoeOffload.Fixtures;

namespace MoeOffload.Tests.Images;

/// <summary>Small models with small projectors, loaded once.</summary>
internal static class VisionModels
{
    /// <summary>A model whose positions are numbers.</summary>
    public static TinyModel TextFile { get; } = TinyModels.Qwen3Moe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 });

    /// <summary>A model whose positions have several dimensions.</summary>
    public static TinyModel MropeFile { get; } = TinyModels.Qwen3VlMoe(new TinyModelOptions { Layers = 2, Experts = 8, ExpertsUsed = 2 });

    private static readonly Lazy<MoeModel> s_square = new(() => Load(TextFile, TinyProjectors.Gemma3(TextFile)));
    private static readonly Lazy<MoeModel> s_wide = new(() => Load(MropeFile, TinyProjectors.Qwen2Vl(MropeFile)));

    /// <summary>Images become 16 embeddings that attend to each other in both directions. Not to be disposed.</summary>
    public static MoeModel Square => s_square.Value;

    /// <summary>The number of embeddings depends on the image, and positions have several dimensions. Not to be disposed.</summary>
    public static MoeModel Wide => s_wide.Value;

    /// <summary>Gets one of both models.</summary>
    public static MoeModel Get(bool isWide) => isWide ? Wide : Square;

    /// <summary>Makes a question with an image between texts.</summary>
    public static ChatMessage[] Ask(byte[] image, string text = "What is in this picture?") =>
        [ChatMessage.User("Look at it.", PromptImage.FromBytes(image), text)];

    /// <summary>Answers greedily, at most 24 tokens.</summary>
    public static async Task<(string Text, GenerationStatistics Statistics)> Answer(GenerationSession session, params IReadOnlyList<ChatMessage> messages)
    {
        using ChatStream stream = session.ChatAsync(messages, new ChatOptions { Sampling = SamplingOptions.Greedy, MaxTokens = 24 });
        ChatUpdate answer = await stream.CompleteAsync();
        return (answer.Message!.Content, stream.Statistics!);
    }

    /// <summary>The log-probability of the first token of a greedy answer.</summary>
    public static async Task<float> Probability(GenerationSession session, params IReadOnlyList<ChatMessage> messages)
    {
        RenderedChat chat = session.Model.ChatTemplate.Render(messages);
        var request = new GenerationRequest
        {
            Prompt = chat.Prompt,
            Images = chat.Images,
            MaxTokens = 1,
            Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 1 },
        };
        return (await SmallModel.Read(session.GenerateAsync(request)))[0].LogProbability;
    }

    private static MoeModel Load(TinyModel model, string projector) => MoeModel.Load(model.Path, new ModelOptions { ProjectorPath = projector });
}
