using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Loading;
using MoeOffload.Shared;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Loads a model once in a placement, and records llama.cpp's log and the location of each tensor.</summary>
internal static class LoadRecorder
{
    private static readonly JsonSerializerOptions s_line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Loads a model and creates its context.</summary>
    /// <param name="model">The path of the model's file.</param>
    /// <param name="load">The options for loading.</param>
    /// <param name="context">The options of the context.</param>
    /// <param name="log">The path of the log file.</param>
    /// <param name="tensors">The path of the file for the locations of the tensors.</param>
    /// <param name="mask">Removes directories from the log.</param>
    /// <param name="cancellationToken">Cancels the measurement.</param>
    /// <returns>The context length.</returns>
    /// <exception cref="LoadFailedException">The model cannot be loaded.</exception>
    public static async Task<int> RecordAsync(
        string model, ModelOptions load, ContextOptions context, string log, string tensors, PathMask mask, CancellationToken cancellationToken)
    {
        using var recorded = new RecordedLog(log, mask);
        using ILoggerFactory loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(recorded));
        using MoeModel loaded = await ModelLoading.RunAsync(
            () => MoeModel.LoadAsync(model, load with { LoggerFactory = loggers }, null, cancellationToken)).ConfigureAwait(false);
        int length;
        ContextOptions counted = context with { CountExperts = context.CountExperts && loaded.Info.IsMixtureOfExperts };
        using (GenerationSession session = await ModelLoading.RunAsync(() => loaded.CreateSessionAsync(counted)).ConfigureAwait(false))
        {
            length = session.ContextLength;
        }

        recorded.End();
        AtomicFile.WriteAllText(tensors, string.Concat(loaded.Placement.Tensors.Select(tensor => new JsonObject
        {
            ["name"] = tensor.Name,
            ["type"] = GgmlTypeInfo.Get(tensor.Type).Name,
            ["bytes"] = tensor.Bytes,
            ["device"] = tensor.Device,
            ["buffer"] = tensor.Buffer,
            ["host"] = tensor.IsHost,
            ["expert"] = tensor.IsExpert,
        }.ToJsonString(s_line) + "\n")));
        return length;
    }
}
