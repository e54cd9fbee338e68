using System.Globalization;

namespace MoeOffload.Gguf;

/// <summary>
/// Checks that a well-formed file describes a model that llama.cpp can take. A file that is damaged or made up so that
/// llama.cpp would end the process over it (assertions, divisions by zero, reads out of bounds, absurd allocations) is refused;
/// what llama.cpp refuses itself, with an error of its own, is left to it.
/// </summary>
public static class GgufModelCheck
{
    private const int MaxTensors = 65536;
    private const int NativeAlignment = 32;

    /// <summary>Checks a model before it is loaded.</summary>
    /// <param name="model">The model's files.</param>
    /// <param name="overrides">
    /// Metadata that the load replaces, by full key: <see cref="long"/>, <see cref="double"/>, <see cref="bool"/> or
    /// <see cref="string"/>, as llama.cpp's overrides. As there, one of another type than the key's has no effect.
    /// </param>
    /// <exception cref="GgufFormatException">The model cannot be loaded; the message says which value is to blame.</exception>
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

    private static void CheckFiles(GgufModelFiles model, ModelValues values)
    {
        var machine = BitConverter.IsLittleEndian ? GgufByteOrder.LittleEndian : GgufByteOrder.BigEndian;
        if (model.Parts[0].ByteOrder != machine)
        {
            throw values.Fail("the file", $"is {model.Parts[0].ByteOrder}, and this machine is {machine}: download or convert the model for it");
        }

        if (values.Architecture == "clip")
        {
            throw values.Fail(GgufKeys.Architecture, "is 'clip': this is an image encoder, not a language model");
        }

        if (model.Tensors.Count is 0 or > MaxTensors)
        {
            throw values.Fail("the file", string.Create(CultureInfo.InvariantCulture, $"has {model.Tensors.Count} tensors, and a model has 1 to {MaxTensors}"));
        }

        foreach (var part in model.Parts)
        {
            if (part.Alignment < NativeAlignment && part.Tensors.Any(tensor => (part.DataOffset + tensor.Offset) % NativeAlignment != 0))
            {
                throw values.Fail(GgufKeys.Alignment, $"is {part.Alignment}, and llama.cpp needs tensors aligned to {NativeAlignment} bytes: convert the model again");
            }
        }
    }
}
