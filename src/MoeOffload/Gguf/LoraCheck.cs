namespace MoeOffload.Gguf;

/// <summary>
/// Checks that a file is a LoRA adapter that llama.cpp can apply to a model. llama.cpp itself checks only two dimensions of each tensor,
/// and ends the process or reads out of bounds if others do not match.
/// </summary>
internal static class LoraCheck
{
    private const string First = ".lora_a";
    private const string Second = ".lora_b";
    private const string AlphaKey = "adapter.lora.alpha";
    private const string EmbeddingName = "token_embd.weight";
    private const string OutputName = "output.weight";

    /// <summary>Checks an adapter before it is loaded.</summary>
    /// <param name="file">The adapter.</param>
    /// <param name="architecture">The model's architecture.</param>
    /// <param name="tensors">The types and dimensions of the model's tensors, by name.</param>
    /// <returns>The names of the model's tensors that the adapter changes. Norms are not included, since llama.cpp ignores them.</returns>
    /// <exception cref="GgufFormatException">The file is not a LoRA adapter, or is damaged.</exception>
    /// <exception cref="ModelLoadException">The adapter belongs to another model, or is of a kind that is not supported.</exception>
    public static IReadOnlyList<string> Validate(GgufFile file, string architecture, IReadOnlyDictionary<string, (GgmlType Type, long[] Dimensions)> tensors)
    {
        CheckMetadata(file, architecture);
        List<string> targets = [];
        foreach (GgufTensorInfo tensor in file.Tensors)
        {
            if (tensor.ElementCount == 0)
            {
                throw Fail(file, $"the tensor {tensor} has no elements");
            }

            if (tensor.Name.EndsWith(First, StringComparison.Ordinal))
            {
                string target = tensor.Name[..^First.Length];
                CheckPair(file, tensor, Partner(file, target, Second, tensor), target, tensors);
                targets.Add(target);
            }
            else if (tensor.Name.EndsWith(Second, StringComparison.Ordinal))
            {
                Partner(file, tensor.Name[..^Second.Length], First, tensor);
            }
            else if (!tensor.Name.EndsWith("_norm.weight", StringComparison.Ordinal))
            {
                throw Fail(file, $"tensor '{tensor.Name}' is not part of a LoRA adapter, whose names end in {First} or {Second}");
            }
        }

        return targets.Count > 0 ? targets : throw Fail(file, "it has no tensors");
    }

    private static void CheckMetadata(GgufFile file, string architecture)
    {
        GgufByteOrder machine = BitConverter.IsLittleEndian ? GgufByteOrder.LittleEndian : GgufByteOrder.BigEndian;
        if (file.ByteOrder != machine)
        {
            throw Fail(file, $"it is {file.ByteOrder}, and this machine is {machine}");
        }

        Require(file, "general.type", "adapter");
        Require(file, "adapter.type", "lora");
        string own = Text(file, GgufKeys.Architecture);
        if (own != architecture)
        {
            throw new ModelLoadException($"'{file.Path}' is an adapter for {own}, and the model is {architecture}: load it with the model that it was trained on.");
        }

        if (file.Metadata.TryGetValue(AlphaKey, out GgufValue alpha) && !(alpha.Type == GgufValueType.Float32 && double.IsFinite(alpha.GetDouble(0))))
        {
            throw Fail(file, $"'{AlphaKey}' is not a finite Float32");
        }

        if (file.Metadata.Contains("adapter.alora.invocation_tokens"))
        {
            throw new ModelLoadException(
                $"'{file.Path}' is an activated LoRA, which takes effect after certain tokens of a text. This is not supported; use a different adapter.");
        }
    }

    private static void CheckPair(
        GgufFile file, GgufTensorInfo a, GgufTensorInfo b, string target, IReadOnlyDictionary<string, (GgmlType Type, long[] Dimensions)> tensors)
    {
        if (!tensors.TryGetValue(target, out (GgmlType Type, long[] Dimensions) own))
        {
            throw Mismatch(file, $"it changes '{target}', which the model does not have");
        }

        if (!TensorTypeCheck.CanMultiply(a.Type) || !TensorTypeCheck.CanMultiply(b.Type))
        {
            throw Fail(file, $"'{target}' has factors of types {a.Type} and {b.Type}, which llama.cpp cannot compute with");
        }

        // llama.cpp does not support these, and reports it with abort().
        if (own.Type == GgmlType.NVFP4 || own.Dimensions[1] == 1)
        {
            throw Mismatch(file, $"it changes '{target}', which is {(own.Type == GgmlType.NVFP4 ? "of type NVFP4" : "not a matrix")} in the model");
        }

        // Rows of the embedding are looked up, so its factors are transposed: rank and vocabulary, rank and width.
        bool isEmbedding = target == EmbeddingName;
        if (isEmbedding && !tensors.ContainsKey(OutputName))
        {
            throw Mismatch(file, $"it changes '{target}', which is also the output matrix in the model");
        }

        bool fits = isEmbedding
            ? a.GetDimension(0) == b.GetDimension(0) && a.GetDimension(1) == own.Dimensions[1] && b.GetDimension(1) == own.Dimensions[0]
            : a.GetDimension(0) == own.Dimensions[0] && a.GetDimension(1) == b.GetDimension(0) && b.GetDimension(1) == own.Dimensions[1];
        for (int i = 2; i < own.Dimensions.Length; i++)
        {
            fits = fits && a.GetDimension(i) == own.Dimensions[i] && b.GetDimension(i) == own.Dimensions[i];
        }

        if (!fits)
        {
            throw Mismatch(file, $"{a} and {b} do not make a '{target}' of [{string.Join(", ", own.Dimensions)}]");
        }
    }

    private static GgufTensorInfo Partner(GgufFile file, string target, string suffix, GgufTensorInfo of) =>
        file.TryGetTensor(target + suffix, out GgufTensorInfo? partner)
            ? partner
            : throw Fail(file, $"'{of.Name}' has no '{target}{suffix}' beside it");

    private static void Require(GgufFile file, string key, string expected)
    {
        string actual = Text(file, key);
        if (actual != expected)
        {
            throw Fail(file, $"'{key}' is '{actual}', not '{expected}': it is not a LoRA adapter");
        }
    }

    private static string Text(GgufFile file, string key) =>
        file.Metadata.TryGetString(key, out string text) ? text : throw Fail(file, $"'{key}' is missing, or not a string: it is not a LoRA adapter");

    private static GgufFormatException Fail(GgufFile file, string what) =>
        new($"'{file.Path}': {what}. Convert the adapter again, with llama.cpp's convert_lora_to_gguf.py, or download it again.");

    private static ModelLoadException Mismatch(GgufFile file, string what) =>
        new($"'{file.Path}': {what}. Load the adapter with the model that it was trained on.");
}
