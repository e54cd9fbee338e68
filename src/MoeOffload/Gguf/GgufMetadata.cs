using System.Collections;

namespace MoeOffload.Gguf;

/// <summary>Represents the metadata of a GGUF file: key-value pairs, in the order of the file.</summary>
public sealed class GgufMetadata : IEnumerable<KeyValuePair<string, GgufValue>>
{
    private readonly OrderedDictionary<string, GgufValue> _values;

    internal GgufMetadata(OrderedDictionary<string, GgufValue> values) => _values = values;

    /// <summary>Gets the number of pairs.</summary>
    public int Count => _values.Count;

    /// <summary>Determines whether a key exists.</summary>
    /// <param name="key">The key.</param>
    /// <returns><see langword="true"/> if the key exists; otherwise, <see langword="false"/>.</returns>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>Tries to get the value of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value, if the key exists.</param>
    /// <returns><see langword="true"/> if the key exists; otherwise, <see langword="false"/>.</returns>
    public bool TryGetValue(string key, out GgufValue value) => _values.TryGetValue(key, out value);

    /// <summary>Tries to get a string.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The string, or an empty string if the method returns <see langword="false"/>.</param>
    /// <returns><see langword="true"/> if the key exists and its value is a string; otherwise, <see langword="false"/>.</returns>
    public bool TryGetString(string key, out string value)
    {
        value = string.Empty;
        return TryGetValue(key, out var found) && found.TryGetString(out value);
    }

    /// <summary>Tries to get a Boolean value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The Boolean value.</param>
    /// <returns><see langword="true"/> if the key exists and its value is a Boolean; otherwise, <see langword="false"/>.</returns>
    public bool TryGetBoolean(string key, out bool value)
    {
        value = false;
        return TryGetValue(key, out var found) && found.TryGetBoolean(out value);
    }

    /// <summary>Tries to get an integer, which can be stored in any size.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The integer, or 0 if the method returns <see langword="false"/>.</param>
    /// <returns><see langword="true"/> if the key exists and its value is an integer in the range of the type; otherwise, <see langword="false"/>.</returns>
    public bool TryGetInt64(string key, out long value)
    {
        value = 0;
        return TryGetValue(key, out var found) && found.TryGetInt64(out value);
    }

    /// <summary>Tries to get an integer, which can be stored in any size.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The integer, or 0 if the method returns <see langword="false"/>.</param>
    /// <returns><see langword="true"/> if the key exists and its value is an integer in the range of the type; otherwise, <see langword="false"/>.</returns>
    public bool TryGetInt32(string key, out int value)
    {
        var fits = TryGetInt64(key, out var wide) && wide is >= int.MinValue and <= int.MaxValue;
        value = fits ? (int)wide : 0;
        return fits;
    }

    /// <summary>Tries to get an integer, which can be stored in any size.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The integer, or 0 if the method returns <see langword="false"/>.</param>
    /// <returns><see langword="true"/> if the key exists and its value is an integer in the range of the type; otherwise, <see langword="false"/>.</returns>
    public bool TryGetUInt32(string key, out uint value)
    {
        var fits = TryGetInt64(key, out var wide) && wide is >= 0 and <= uint.MaxValue;
        value = fits ? (uint)wide : 0;
        return fits;
    }

    /// <summary>Tries to get a floating-point number, which can be stored in any size.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The number, or 0 if the method returns <see langword="false"/>.</param>
    /// <returns><see langword="true"/> if the key exists and its value is a floating-point number; otherwise, <see langword="false"/>.</returns>
    public bool TryGetDouble(string key, out double value)
    {
        value = 0;
        return TryGetValue(key, out var found) && found.TryGetDouble(out value);
    }

    /// <summary>Returns an enumerator that iterates through the pairs.</summary>
    /// <returns>The enumerator.</returns>
    public IEnumerator<KeyValuePair<string, GgufValue>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
