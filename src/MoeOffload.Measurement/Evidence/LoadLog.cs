using System.Globalization;

namespace MoeOffload.Measurement.Evidence;

/// <summary>What llama.cpp's lines say of a load.</summary>
internal sealed class LoadLog
{
    private const string Overridden = " buffer type overridden to ";
    private const string ModelBuffer = " model buffer size =";

    private readonly string[] _lines;

    public LoadLog(string[] lines)
    {
        _lines = lines;
        foreach (string line in lines)
        {
            ReadOverride(line);
            ReadBuffer(line);
        }
    }

    /// <summary>The last line of a log: how many came before it.</summary>
    public static string EndOf(int lines) => string.Create(CultureInfo.InvariantCulture, $"end of the log: {lines} lines");

    /// <summary>Whether its last line says that it is whole.</summary>
    public bool IsWhole => _lines.Length > 0 && _lines[^1] == EndOf(_lines.Length - 1);

    /// <summary>The buffer types that tensors were moved to, by the tensors' names.</summary>
    public Dictionary<string, string> Overrides { get; } = new(StringComparer.Ordinal);

    /// <summary>MiB of weights by buffer type, as llama.cpp rounds them.</summary>
    public Dictionary<string, double> ModelBuffers { get; } = new(StringComparer.Ordinal);

    /// <summary>The value of a metadata key that ends so: <c>… - kv 11: qwen3moe.expert_count u32 = 16</c>; null where there is none.</summary>
    public string? Metadata(string key)
    {
        string? line = Array.Find(_lines, line => line.StartsWith("llama_model_loader: - kv", StringComparison.Ordinal) && line.Contains($".{key} ", StringComparison.Ordinal));
        return line?[(line.LastIndexOf('=') + 1)..].Trim();
    }

    /// <summary>The value of a line such as <c>print_info: n_expert = 16</c>; null where there is none.</summary>
    /// <param name="part">The part of llama.cpp that says it.</param>
    /// <param name="name">The name.</param>
    public string? Value(string part, string name)
    {
        string? line = Array.Find(_lines, line => line.StartsWith($"{part}: {name} ", StringComparison.Ordinal) && line[(part.Length + 2 + name.Length)..].TrimStart().StartsWith('='));
        return line?[(line.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim();
    }

    /// <summary>Whether there is a line that has these words.</summary>
    public bool Says(string words) => _lines.Any(line => line.Contains(words, StringComparison.Ordinal));

    // tensor blk.0.ffn_down_exps.weight (1 MiB q8_0) buffer type overridden to CPU
    private void ReadOverride(string line)
    {
        int end = line.IndexOf(Overridden, StringComparison.Ordinal);
        if (end >= 0 && line.StartsWith("tensor ", StringComparison.Ordinal) && line.IndexOf(" (", StringComparison.Ordinal) is > 0 and var size)
        {
            Overrides[line["tensor ".Length..size]] = line[(end + Overridden.Length)..].Trim();
        }
    }

    // load_tensors:   CPU_Mapped model buffer size =     9.34 MiB
    private void ReadBuffer(string line)
    {
        int end = line.IndexOf(ModelBuffer, StringComparison.Ordinal);
        if (end >= 0 && line.StartsWith("load_tensors:", StringComparison.Ordinal)
            && double.TryParse(line[(end + ModelBuffer.Length)..].Replace("MiB", string.Empty, StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out double size))
        {
            string buffer = line["load_tensors:".Length..end].Trim();
            ModelBuffers[buffer] = ModelBuffers.GetValueOrDefault(buffer) + size;
        }
    }
}
