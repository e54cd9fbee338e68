using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Specifies how weights are read into memory, with llama.cpp's values.</summary>
internal enum NativeLoadMode
{
    Auto = llama_load_mode.LLAMA_LOAD_MODE_AUTO,
    None = llama_load_mode.LLAMA_LOAD_MODE_NONE,
    Mmap = llama_load_mode.LLAMA_LOAD_MODE_MMAP,
    Mlock = llama_load_mode.LLAMA_LOAD_MODE_MLOCK,
    MmapMlock = llama_load_mode.LLAMA_LOAD_MODE_MMAP_MLOCK,
    DirectIo = llama_load_mode.LLAMA_LOAD_MODE_DIRECT_IO,
}
