using System.Diagnostics;
using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Running;

/// <summary>Decides between the steps when the readers of the running requests are told of new tokens.</summary>
/// <param name="running">The running requests.</param>
internal sealed class ReaderUpdates(IReadOnlyList<SequenceRequest> running)
{
    private int _tokenCount;
    private long _lastStep;

    /// <summary>Prepares for the next step. If it is larger than the last one, it takes longer than readers should wait.</summary>
    /// <param name="tokenCount">The number of tokens in the step, or 0 if there is nothing to compute.</param>
    public void OnStepBegins(int tokenCount)
    {
        if (tokenCount == 0 || tokenCount > _tokenCount)
        {
            SendAll();
        }

        _tokenCount = tokenCount;
    }

    /// <summary>Tells the readers that would otherwise learn of their tokens too late, if the next step takes as long as the last one.</summary>
    public void OnStepEnded()
    {
        long now = Stopwatch.GetTimestamp();
        long next = now + (now - _lastStep);
        _lastStep = now;
        for (int i = 0; i < running.Count; i++)
        {
            running[i].Output.HandOver(now, next);
        }
    }

    /// <summary>Tells all readers. Call this method before anything that can take long.</summary>
    public void SendAll()
    {
        for (int i = 0; i < running.Count; i++)
        {
            running[i].Output.HandOver();
        }
    }
}
