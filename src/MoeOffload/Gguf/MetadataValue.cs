using System.Globalization;

namespace MoeOffload;

/// <summary>Represents a value that replaces a value in a model's metadata: a number, a Boolean value or a string.</summary>
public readonly record struct MetadataValue
{
    private MetadataValue(object value) => Value = value;

    internal object Value { get; }

    /// <summary>Creates a value from an integer.</summary>
    /// <param name="value">The integer.</param>
    /// <returns>The value.</returns>
    public static MetadataValue From(long value) => new(value);

    /// <summary>Creates a value from a floating-point number.</summary>
    /// <param name="value">The number.</param>
    /// <returns>The value.</returns>
    public static MetadataValue From(double value) => new(value);

    /// <summary>Creates a value from a Boolean value.</summary>
    /// <param name="value">The Boolean value.</param>
    /// <returns>The value.</returns>
    public static MetadataValue From(bool value) => new(value);

    /// <summary>Creates a value from a string.</summary>
    /// <param name="value">The string. llama.cpp supports 1 to 127 bytes of UTF-8.</param>
    /// <returns>The value.</returns>
    public static MetadataValue From(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value);
    }

    /// <summary>Converts an integer to a metadata value.</summary>
    /// <param name="value">The integer.</param>
    public static implicit operator MetadataValue(long value) => From(value);

    /// <summary>Converts a floating-point number to a metadata value.</summary>
    /// <param name="value">The number.</param>
    public static implicit operator MetadataValue(double value) => From(value);

    /// <summary>Converts a Boolean value to a metadata value.</summary>
    /// <param name="value">The Boolean value.</param>
    public static implicit operator MetadataValue(bool value) => From(value);

    /// <summary>Converts a string to a metadata value.</summary>
    /// <param name="value">The string.</param>
    public static implicit operator MetadataValue(string value) => From(value);

    /// <summary>Returns the value as text, in the form in which llama.cpp writes metadata.</summary>
    public override string ToString() => Value switch
    {
        true => "true",
        false => "false",
        _ => Convert.ToString(Value, CultureInfo.InvariantCulture) ?? string.Empty,
    };
}
