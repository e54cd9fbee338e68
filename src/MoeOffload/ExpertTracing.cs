using Microsoft.Extensions.Logging;
using MoeOffload.Diagnostics;
using MoeOffload.Diagnostics.Traces;
using MoeOffload.Inference;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Connects the experts that a session's routers choose with the trace in which they are recorded.</summary>
internal sealed class ExpertTracing : IExpertObserver
{
    private readonly ExpertTraceRecorder _recorder;

    private ExpertTracing(ExpertTraceRecorder recorder) => _recorder = recorder;

    /// <summary>Gets a task that completes when the file has its name, and fails if it could not be written.</summary>
    public Task<ExpertTraceSummary> Done => _recorder.Done;

    /// <summary>Creates the file, and starts to record.</summary>
    /// <exception cref="IOException">The file cannot be created, or the model's file can no longer be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its directory is not writable.</exception>
    public static ExpertTracing Start(string path, LoadedModel model, ILogger logger)
    {
        var tracing = new ExpertTracing(ExpertTraceRecorder.Create(path, Describe(model)));
        _ = LogFailureAsync(tracing.Done, logger);
        return tracing;
    }

    /// <summary>Ends the recording. Can be called more than once.</summary>
    public void Complete() => _recorder.Complete();

    /// <summary>Ends the recording of a session that could not be created, and deletes what was written.</summary>
    public void Discard() => _recorder.Cancel();

    /// <summary>Ends the recording when a session has ended, however it ends.</summary>
    public void CompleteAfter(Task ended) => _ = ended.ContinueWith(
        static (_, self) => ((ExpertTracing)self!).Complete(), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <inheritdoc/>
    public void OnChoices(int layer, int rows, int used, int stride, ReadOnlySpan<int> experts) => _recorder.OnChoices(layer, rows, used, stride, experts);

    /// <inheritdoc/>
    public void OnStep(int tokens, int outputs, bool isComplete) => _recorder.OnStep(tokens, outputs, isComplete);

    private static ExpertTraceModel Describe(LoadedModel model)
    {
        long[] bytes = new long[model.Info.LayerCount];
        foreach (TensorLocation tensor in model.Placement.Tensors)
        {
            // GroveMoE's second kind of experts has another number of them.
            if (tensor.Layer is { } layer && layer < bytes.Length && RoutedExperts.IsRouted(tensor.Name)
                && !tensor.Name.Contains("_chexps", StringComparison.Ordinal))
            {
                bytes[layer] += tensor.Bytes / model.Info.ExpertCount;
            }
        }

        return new ExpertTraceModel
        {
            Architecture = model.Info.Architecture,
            Name = model.Info.Name,
            Fingerprint = model.Fingerprint,
            ExpertCount = model.Info.ExpertCount,
            ExpertUsedCount = Math.Clamp(model.Info.ExpertUsedCount, 1, model.Info.ExpertCount),
            ExpertBytes = bytes,
        };
    }

    private static async Task LogFailureAsync(Task done, ILogger logger)
    {
        try
        {
            await done.ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            InferenceLog.TraceLost(logger, exception.Message);
        }
        catch (OperationCanceledException)
        {
            // The session could not be created, which its caller is told.
        }
    }
}
