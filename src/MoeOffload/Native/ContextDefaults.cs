using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Reads llama.cpp's own defaults of a context.</summary>
internal static class ContextDefaults
{
    /// <summary>Gets the most tokens of one step.</summary>
    public static int BatchSize => (int)LlamaApi.llama_context_default_params().n_batch;

    /// <summary>Gets the most tokens that are computed at once.</summary>
    public static int MicroBatchSize => (int)LlamaApi.llama_context_default_params().n_ubatch;
}
