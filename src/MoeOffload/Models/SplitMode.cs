namespace MoeOffload;

/// <summary>How a model is spread over several devices.</summary>
public enum SplitMode
{
    /// <summary>Whole layers, each with its KV cache, one device after the other. llama.cpp's default.</summary>
    Layer,

    /// <summary>All on <see cref="ModelOptions.MainGpu"/>.</summary>
    None,

    /// <summary>Rows of each matrix, where the backend can.</summary>
    Row,

    /// <summary>Each tensor over all devices, which then compute together. Needs flash attention.</summary>
    Tensor,
}
