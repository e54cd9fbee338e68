using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Specifies how a model is split among devices, with llama.cpp's values.</summary>
internal enum NativeSplitMode
{
    None = llama_split_mode.LLAMA_SPLIT_MODE_NONE,
    Layer = llama_split_mode.LLAMA_SPLIT_MODE_LAYER,
    Row = llama_split_mode.LLAMA_SPLIT_MODE_ROW,
    Tensor = llama_split_mode.LLAMA_SPLIT_MODE_TENSOR,
}
