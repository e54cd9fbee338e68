using Microsoft.Extensions.Logging.Abstractions;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Preparation;
using MoeOffload.Inference.Running;

namespace MoeOffload.Tests.Inference.Running;

/// <summary>Requests given to a scheduler that has no session around it.</summary>
internal static class Channels
{
    /// <summary>Creates the channel of a request, which is prepared and submitted when the channel is first read.</summary>
    public static TokenChannel Make(MoeModel model, Scheduler scheduler, GenerationRequest request)
    {
        var channel = new TokenChannel(request.Deadline, CancellationToken.None);
        var factory = new GenerationFactory(scheduler, model, sequenceLength: int.MaxValue, microBatchSize: 512, isDivided: false, canShift: true, NullLogger.Instance);
        var source = new PlainRequest(request with { Sampling = request.Sampling ?? SamplingOptions.Greedy });
        channel.Connect(new RequestPreparation(scheduler, new PreparationQueue(), factory, source, channel));
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
