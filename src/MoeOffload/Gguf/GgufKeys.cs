namespace MoeOffload.Gguf;

/// <summary>Contains the metadata keys of ggml's <c>docs/gguf.md</c> that apply to every file.</summary>
public static class GgufKeys
{
    /// <summary>The key of the model's architecture, which is also the prefix of the keys of hyperparameters.</summary>
    public const string Architecture = "general.architecture";

    /// <summary>The key of the model's name.</summary>
    public const string Name = "general.name";

    /// <summary>The key of the tensors' alignment in bytes, a power of two. The default is 32.</summary>
    public const string Alignment = "general.alignment";

    /// <summary>The key of the zero-based number of a file in a split model.</summary>
    public const string SplitIndex = "split.no";

    /// <summary>The key of the number of files in a split model.</summary>
    public const string SplitCount = "split.count";

    /// <summary>The key of the number of tensors in all files of a split model.</summary>
    public const string SplitTensorCount = "split.tensors.count";
}
