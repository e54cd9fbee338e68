using System.Text.Json;

namespace TinyMoe.Model;

/// <summary>Represents the dimensions of the model, as a GGUF file names them. The trainer reads them as JSON.</summary>
internal sealed record ModelShape(int Vocabulary, int End)
{
    private const string FileName = "shape.json";

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public int Layers { get; init; } = 6;

    public int Width { get; init; } = 192;

    public int Heads { get; init; } = 8;

    public int KeyValueHeads { get; init; } = 4;

    public int HeadLength { get; init; } = 32;

    public int Experts { get; init; } = 16;

    public int ExpertsUsed { get; init; } = 2;

    public int ExpertLength { get; init; } = 128;

    public int Context { get; init; } = 512;

    public float Epsilon { get; init; } = 1e-6f;

    public float RopeBase { get; init; } = 1000;

    public static ModelShape Read(string directory) =>
        JsonSerializer.Deserialize<ModelShape>(File.ReadAllText(Path.Combine(directory, FileName)), s_json)!;

    public void Write(string directory) => File.WriteAllText(Path.Combine(directory, FileName), JsonSerializer.Serialize(this, s_json));
}
