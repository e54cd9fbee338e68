namespace MoeOffload;

/// <summary>Specifies how a model is split among several devices.</summary>
public enum SplitMode
{
    /// <summary>Each device holds whole layers with their KV cache, and the devices compute one after another. This is llama.cpp's default.</summary>
    Layer,

    /// <summary>The device <see cref="ModelOptions.MainGpu"/> holds the whole model.</summary>
    None,

    /// <summary>Each device holds a part of the rows of each matrix, if the backend supports this.</summary>
    Row,

    /// <summary>Each tensor is split among all devices, which compute in parallel. This requires flash attention.</summary>
    Tensor,
}
