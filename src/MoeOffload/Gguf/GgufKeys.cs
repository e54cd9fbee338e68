namespace MoeOffload.Gguf;

/// <summary>Metadata keys of ggml's <c>docs/gguf.md</c> that concern every file.</summary>
public static class GgufKeys
{
    /// <summary>The model's architecture, which prefixes its hyperparameters' keys.</summary>
    public const string Architecture = "general.architecture";

    /// <summary>The model's name.</summary>
    public const string Name = "general.name";

    /// <summary>Bytes that tensors are aligned to, a power of two; 32 without it.</summary>
    public const string Alignment = "general.alignment";

    /// <summary>The number of this file among a split model's, from 0.</summary>
    public const string SplitIndex = "split.no";

    /// <summary>How many files a split model has.</summary>
    public const string SplitCount = "split.count";

    /// <summary>Tensors in all files of a split model.</summary>
    public const string SplitTensorCount = "split.tensors.count";
}
