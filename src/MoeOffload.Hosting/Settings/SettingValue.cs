using System.Globalization;
using Microsoft.Extensions.Configuration;
using MoeOffload.Shared;

namespace MoeOffload.Hosting.Settings;

/// <summary>Reads the value of a key in the configuration. If it is not valid, the methods throw a <see cref="FormatException"/> that says what is.</summary>
/// <param name="section">The key with its value.</param>
internal readonly struct SettingValue(IConfigurationSection section)
{
    public string Text() => section.Value is { Length: > 0 } text ? text : throw Expected("a text that is not empty");

    public bool Flag() => bool.TryParse(section.Value, out bool flag) ? flag : throw Expected("true or false");

    public int Integer() => int.TryParse(section.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw Expected("a whole number");

    public float Number() => float.TryParse(section.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number)
        ? number
        : throw Expected("a number");

    public uint? Seed() => section.Value is "-1" ? null
        : uint.TryParse(section.Value, NumberStyles.None, CultureInfo.InvariantCulture, out uint seed) && seed != uint.MaxValue ? seed
        : throw Expected("a whole number from 0 to 4294967294, or -1 for a random seed");

    public long Size() => ByteSize.TryParse(section.Value ?? string.Empty) ?? throw Expected("a size such as 8GiB, 8000MB or a number of bytes");

    public long Margin() => section.Value is "0" ? 0 : ByteSize.TryParse(section.Value ?? string.Empty) ?? throw Expected("a size such as 512MiB, or 0");

    public ComputeBudget Budget() => ComputeTime.TryParse(section.Value ?? string.Empty)
        ?? throw Expected("a time and a period in milliseconds such as 4/16.7, or a share such as 25%");

    public int? Layers() => section.Value?.ToLowerInvariant() is "all" or "auto" ? null : Integer();

    public T Choice<T>()
        where T : struct, Enum => Choice(Enum.GetNames<T>().Zip(Enum.GetValues<T>()).ToDictionary(pair => pair.First, pair => pair.Second));

    public T Choice<T>(IReadOnlyDictionary<string, T> values)
    {
        foreach ((string name, T value) in values)
        {
            if (name.Equals(section.Value, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        throw Expected($"one of {string.Join(", ", values.Keys)}");
    }

    /// <summary>Reads an array, or a single text with the elements between commas.</summary>
    public string[] List() => section.Value is { } text
        ? text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        : Elements();

    /// <summary>Reads an array, or a single text as its only element.</summary>
    public string[] Elements() => section.Value is { Length: > 0 } text ? [text]
        : section.GetChildren().Select(child => child.Value ?? string.Empty).ToArray() is { Length: > 0 } elements && elements.All(element => element.Length > 0) ? elements
        : throw Expected("a list of texts");

    public float[] Numbers() =>
    [
        .. List().Select(element => float.TryParse(element, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) ? number : throw Expected("a list of numbers such as 3,1")),
    ];

    public AdapterFile[] Adapters() => [.. Elements().Select(Adapter)];

    /// <summary>Reads an object whose members replace metadata of the model; each value has a type, such as <c>int:4</c>.</summary>
    public Dictionary<string, MetadataValue> Metadata() => section.GetChildren().ToDictionary(
        child => child.Key,
        child => MetadataOverride.Parse($"{child.Key}={child.Value}")?.Value ?? throw Expected("an object such as { \"tokenizer.ggml.add_bos_token\": \"bool:false\" }, with the types int, float, bool and str"));

    // The path of a file on Windows has a colon, too.
    private static AdapterFile Adapter(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && float.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float scale) && float.IsFinite(scale)
            ? new AdapterFile(text[..colon], scale)
            : new AdapterFile(text);
    }

    private static FormatException Expected(string what) => new(what);
}
