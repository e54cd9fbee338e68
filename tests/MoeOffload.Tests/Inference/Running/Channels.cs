using MoeOffload.Inference.Output;
using MoeOffload.Inference.Running;
using MoeOffload.Inference.Sampling;
using MoeOffload.Native;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>Requests given to a scheduler that has no session around it.</summary>
internal static class Channels
{
    /// <summary>Makes the channel of a request, which is submitted once it is read.</summary>
    public static TokenChannel Make(MoeModel model, Scheduler scheduler, GenerationRequest request)
    {
        int[] prompt = [.. request.PromptTokens ?? model.Vocabulary.Tokenize(request.Prompt)];
        NativeVocabulary vocabulary = model.Native.Vocabulary;
        var channel = new TokenChannel(request.Deadline, CancellationToken.None);
        _ = new Generation(
            scheduler,
            channel,
            request,
            prompt,
            SamplerBuilder.Build(vocabulary, request.Sampling ?? SamplingOptions.Greedy),
            model.Pieces(special: false),
            vocabulary);
        return channel;
    }

    /// <summary>Reads to the end.</summary>
    public static async Task<(int[] Tokens, GenerationStatistics Statistics)> Read(TokenChannel channel)
    {
        List<int> tokens = [];
        while (!channel.IsCompleted)
        {
            if (channel.TryRead(out GeneratedToken token))
            {
                tokens.Add(token.Id);
            }
            else
            {
                await Task.Delay(1);
            }
        }

        return ([.. tokens], channel.Statistics!);
    }
}
