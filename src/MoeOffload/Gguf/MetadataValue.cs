using System.Globalization;

namespace MoeOffload;

/// <summary>A value that replaces one of a model's metadata: a number, a truth value or a text.</summary>
public readonly record struct MetadataValue
{
    private MetadataValue(object value) => Value = value;

    internal object Value { get; }

    /// <summary>An integer.</summary>
    /// <param name="value">The value.</param>
    public static MetadataValue From(long value) => new(value);

    /// <summary>A floating-point number.</summary>
    /// <param name="value">The value.</param>
    public static MetadataValue From(double value) => new(value);

    /// <summary>A truth value.</summary>
    /// <param name="value">The value.</param>
    public static MetadataValue From(bool value) => new(value);

    /// <summary>A text of at most 127 bytes of UTF-8, llama.cpp's limit.</summary>
    /// <param name="value">The value.</param>
    public static MetadataValue From(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value);
    }

    /// <summary>An integer.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator MetadataValue(long value) => From(value);

    /// <summary>A floating-point number.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator MetadataValue(double value) => From(value);

    /// <summary>A truth value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator MetadataValue(bool value) => From(value);

    /// <summary>A text.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator MetadataValue(string value) => From(value);

    /// <summary>The value as text, as llama.cpp writes metadata.</summary>
    public override string ToString() => Value switch
    {
        true => "true",
        false => "false",
        _ => Convert.ToString(Value, CultureInfo.InvariantCulture) ?? string.Empty,
    };
}
