using MoeOffload.Diagnostics;
using MoeOffload.Diagnostics.Traces;

namespace MoeOffload.Tests.Diagnostics.Traces;

/// <summary>Traces that tests write down, one step of a single layer after the other.</summary>
internal static class ExpertTraces
{
    /// <summary>A model with one expert for each token, unless stated otherwise.</summary>
    public static ExpertTraceModel Model(int experts = 8, int used = 1, params long[] bytes) => new()
    {
        Architecture = "tiny",
        Name = "a model",
        Fingerprint = string.Concat(Enumerable.Repeat("0a", 32)),
        ExpertCount = experts,
        ExpertUsedCount = used,
        ExpertBytes = bytes.Length > 0 ? bytes : [100],
    };

    /// <summary>Records with the recorder of the library, and returns the file.</summary>
    public static byte[] Record(ExpertTraceModel model, Action<ExpertTraceRecorder> record)
    {
        using var stream = new MemoryStream();
        var recorder = new ExpertTraceRecorder("memory", model, stream, static () => { }, static () => { });
        record(recorder);
        recorder.Complete();
        recorder.Done.GetAwaiter().GetResult();
        return stream.ToArray();
    }

    /// <summary>A trace in which each step is one token that chooses these experts in layer 0.</summary>
    public static ExpertTrace Of(ExpertTraceModel model, params int[][] tokens) => Load(Record(model, recorder =>
    {
        foreach (int[] experts in tokens)
        {
            recorder.OnChoices(0, 1, experts.Length, experts.Length, experts);
            recorder.OnStep(1, 1, isComplete: true);
        }
    }));

    /// <summary>Loads a trace from bytes.</summary>
    public static ExpertTrace Load(byte[] bytes) => ExpertTrace.Load(new MemoryStream(bytes));
}
