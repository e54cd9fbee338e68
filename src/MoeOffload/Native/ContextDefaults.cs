using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Gets llama.cpp's default parameters of a context.</summary>
internal static class ContextDefaults
{
    /// <summary>Gets the maximum number of tokens in a step.</summary>
    public static int BatchSize => (int)LlamaApi.llama_context_default_params().n_batch;

    /// <summary>Gets the maximum number of tokens that are computed at once.</summary>
    public static int MicroBatchSize => (int)LlamaApi.llama_context_default_params().n_ubatch;
}
