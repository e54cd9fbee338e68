using System.Collections;

namespace MoeOffload.Gguf;

/// <summary>The key-value pairs of a GGUF file, in the file's order.</summary>
public sealed class GgufMetadata : IEnumerable<KeyValuePair<string, GgufValue>>
{
    private readonly OrderedDictionary<string, GgufValue> _values;

    internal GgufMetadata(OrderedDictionary<string, GgufValue> values) => _values = values;

    /// <summary>How many pairs there are.</summary>
    public int Count => _values.Count;

    /// <summary>Says whether there is a value of any type under a key.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>Gives the value under a key.</summary>
    public bool TryGetValue(string key, out GgufValue value) => _values.TryGetValue(key, out value);

    /// <summary>Gives a string; false if the key is missing or of another type.</summary>
    public bool TryGetString(string key, out string value)
    {
        value = string.Empty;
        return TryGetValue(key, out var found) && found.TryGetString(out value);
    }

    /// <summary>Gives a boolean; false if the key is missing or of another type.</summary>
    public bool TryGetBoolean(string key, out bool value)
    {
        value = false;
        return TryGetValue(key, out var found) && found.TryGetBoolean(out value);
    }

    /// <summary>Gives an integer stored in any width; false if the key is missing, no integer, or too large.</summary>
    public bool TryGetInt64(string key, out long value)
    {
        value = 0;
        return TryGetValue(key, out var found) && found.TryGetInt64(out value);
    }

    /// <summary>Gives an integer stored in any width; false if the key is missing, no integer, or does not fit.</summary>
    public bool TryGetInt32(string key, out int value)
    {
        var fits = TryGetInt64(key, out var wide) && wide is >= int.MinValue and <= int.MaxValue;
        value = fits ? (int)wide : 0;
        return fits;
    }

    /// <summary>Gives an integer stored in any width; false if the key is missing, no integer, or does not fit.</summary>
    public bool TryGetUInt32(string key, out uint value)
    {
        var fits = TryGetInt64(key, out var wide) && wide is >= 0 and <= uint.MaxValue;
        value = fits ? (uint)wide : 0;
        return fits;
    }

    /// <summary>Gives a float stored in any width; false if the key is missing or no float.</summary>
    public bool TryGetDouble(string key, out double value)
    {
        value = 0;
        return TryGetValue(key, out var found) && found.TryGetDouble(out value);
    }

    /// <summary>Goes through the pairs.</summary>
    public IEnumerator<KeyValuePair<string, GgufValue>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
