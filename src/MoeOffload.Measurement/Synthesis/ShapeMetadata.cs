using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>Sets hyperparameters with the prefix of the architecture and the types that llama.cpp uses.</summary>
internal sealed class ShapeMetadata(GgufWriter writer, string architecture)
{
    public void Set(string key, int value) => writer.Set($"{architecture}.{key}", (uint)value);

    public void Set(string key, float value) => writer.Set($"{architecture}.{key}", value);

    public void Set(string key, string value) => writer.Set($"{architecture}.{key}", value);
}
