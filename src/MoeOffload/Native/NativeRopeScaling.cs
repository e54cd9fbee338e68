using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Specifies how rotary position embeddings are scaled, with llama.cpp's values.</summary>
internal enum NativeRopeScaling
{
    None = llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_NONE,
    Linear = llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_LINEAR,
    Yarn = llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_YARN,
    LongRope = llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_LONGROPE,
}
