using System.Globalization;

namespace MoeOffload.Measurement.Evidence;

/// <summary>Extracts information about a load from llama.cpp's log.</summary>
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

    /// <summary>Returns the last line of a log, which contains the number of lines before it.</summary>
    public static string EndOf(int lines) => string.Create(CultureInfo.InvariantCulture, $"end of the log: {lines} lines");

    /// <summary>Gets a value that indicates whether the log is complete according to its last line.</summary>
    public bool IsWhole => _lines.Length > 0 && _lines[^1] == EndOf(_lines.Length - 1);

    /// <summary>Gets the buffer types that were overridden, by tensor name.</summary>
    public Dictionary<string, string> Overrides { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the size of the weights in MiB by buffer type, as rounded by llama.cpp.</summary>
    public Dictionary<string, double> ModelBuffers { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Returns the value of the metadata key with this ending, from a line such as <c>… - kv 11: qwen3moe.expert_count u32 = 16</c>, or null if
    /// there is none.
    /// </summary>
    public string? Metadata(string key)
    {
        string? line = Array.Find(_lines, line => line.StartsWith("llama_model_loader: - kv", StringComparison.Ordinal) && line.Contains($".{key} ", StringComparison.Ordinal));
        return line?[(line.LastIndexOf('=') + 1)..].Trim();
    }

    /// <summary>Returns the value from a line such as <c>print_info: n_expert = 16</c>, or null if there is none.</summary>
    /// <param name="part">The function of llama.cpp that logs the line.</param>
    /// <param name="name">The name of the value.</param>
    public string? Value(string part, string name)
    {
        string? line = Array.Find(_lines, line => line.StartsWith($"{part}: {name} ", StringComparison.Ordinal) && line[(part.Length + 2 + name.Length)..].TrimStart().StartsWith('='));
        return line?[(line.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim();
    }

    /// <summary>Returns whether a line contains this text.</summary>
    public bool Says(string words) => _lines.Any(line => line.Contains(words, StringComparison.Ordinal));

    // For example: tensor blk.0.ffn_down_exps.weight (1 MiB q8_0) buffer type overridden to CPU
    private void ReadOverride(string line)
    {
        int end = line.IndexOf(Overridden, StringComparison.Ordinal);
        if (end >= 0 && line.StartsWith("tensor ", StringComparison.Ordinal) && line.IndexOf(" (", StringComparison.Ordinal) is > 0 and var size)
        {
            Overrides[line["tensor ".Length..size]] = line[(end + Overridden.Length)..].Trim();
        }
    }

    // For example: load_tensors:   CPU_Mapped model buffer size =     9.34 MiB
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
