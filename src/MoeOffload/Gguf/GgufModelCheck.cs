using System.Globalization;
using MoeOffload.Shared;

namespace MoeOffload.Gguf;

/// <summary>
/// Checks that a well-formed file describes a model that llama.cpp can load. It rejects a damaged or malicious file for which llama.cpp
/// would end the process, because of assertions, divisions by zero, reads out of bounds or excessive allocations. Other errors are left
/// to llama.cpp, which reports them.
/// </summary>
public static class GgufModelCheck
{
    private const int MaxTensors = 65536;
    private const int NativeAlignment = 32;

    /// <summary>
    /// Checks a model before it is loaded. Blocks for a time that grows with the vocabulary and the number of tensors; see
    /// <see cref="ValidateAsync"/>.
    /// </summary>
    /// <param name="model">The model's files.</param>
    /// <param name="overrides">
    /// The values that replace those of the file's metadata when the model is loaded, by full key. As in llama.cpp, a value whose type
    /// differs from that of the file's value has no effect.
    /// </param>
    /// <exception cref="GgufFormatException">The model cannot be loaded. The message says which value is the cause.</exception>
    public static void Validate(GgufModelFiles model, IReadOnlyDictionary<string, MetadataValue>? overrides = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var values = new ModelValues(model, overrides);
        CheckFiles(model, values);
        HyperparameterCheck.Run(model, values);
        AttentionCheck.Run(model, values);
        TensorTypeCheck.Run(model, values);
        VocabularyCheck.Run(values);
    }

    /// <summary>Checks a model before it is loaded, without blocking the caller.</summary>
    /// <param name="model">The model's files.</param>
    /// <param name="overrides">
    /// The values that replace those of the file's metadata when the model is loaded, by full key. They must not change until the task
    /// completes.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <inheritdoc cref="Validate" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public static Task ValidateAsync(
        GgufModelFiles model, IReadOnlyDictionary<string, MetadataValue>? overrides = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        return BackgroundCall.ComputeAsync(() => Validate(model, overrides), cancellationToken);
    }

    /// <summary>Checks the vocabulary of a model before it is loaded alone.</summary>
    internal static void ValidateVocabulary(GgufModelFiles model, IReadOnlyDictionary<string, MetadataValue>? overrides)
    {
        var values = new ModelValues(model, overrides);
        CheckKind(model, values);
        if (VocabularyCheck.IsNone(values))
        {
            throw values.Reject("the file", "has no vocabulary");
        }

        VocabularyCheck.Run(values);
    }

    private static void CheckKind(GgufModelFiles model, ModelValues values)
    {
        var machine = BitConverter.IsLittleEndian ? GgufByteOrder.LittleEndian : GgufByteOrder.BigEndian;
        if (model.Parts[0].ByteOrder != machine)
        {
            throw values.Reject("the file", $"is {model.Parts[0].ByteOrder}, and this machine is {machine}: download or convert the model for it");
        }

        if (values.Architecture == "clip")
        {
            throw values.Reject(GgufKeys.Architecture, "is 'clip': this is an image encoder, not a language model");
        }
    }

    private static void CheckFiles(GgufModelFiles model, ModelValues values)
    {
        CheckKind(model, values);
        if (model.Tensors.Count == 0)
        {
            throw values.Reject("the file", "has no tensors: it is not a whole model. Download the model itself, or load only the vocabulary with Vocabulary.Load");
        }

        if (model.Tensors.Count > MaxTensors)
        {
            throw values.Fail("the file", string.Create(CultureInfo.InvariantCulture, $"has {model.Tensors.Count} tensors, and a model has 1 to {MaxTensors}"));
        }

        if (model.Tensors.FirstOrDefault(tensor => tensor.ElementCount == 0) is { } empty)
        {
            throw values.Reject($"the tensor {empty}", "has no elements, and llama.cpp cannot compute with it: convert the model again");
        }

        foreach (var part in model.Parts)
        {
            if (part.Alignment < NativeAlignment && part.Tensors.Any(tensor => (part.DataOffset + tensor.Offset) % NativeAlignment != 0))
            {
                throw values.Reject($"'{GgufKeys.Alignment}'", $"is {part.Alignment}, and llama.cpp needs tensors aligned to {NativeAlignment} bytes: convert the model again");
            }
        }
    }
}
