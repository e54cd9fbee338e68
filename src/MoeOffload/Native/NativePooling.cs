using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Specifies how a model pools its tokens, with llama.cpp's values.</summary>
internal enum NativePooling
{
    Mean = llama_pooling_type.LLAMA_POOLING_TYPE_MEAN,
    Cls = llama_pooling_type.LLAMA_POOLING_TYPE_CLS,
    Last = llama_pooling_type.LLAMA_POOLING_TYPE_LAST,
}
