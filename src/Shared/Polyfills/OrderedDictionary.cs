using System.Diagnostics.CodeAnalysis;

namespace System.Collections.Generic;

/// <summary>Represents pairs in the order in which they were added, like the class of .NET 9: the members that this library needs.</summary>
/// <typeparam name="TKey">The type of the keys.</typeparam>
/// <typeparam name="TValue">The type of the values.</typeparam>
internal sealed class OrderedDictionary<TKey, TValue> : IEnumerable<KeyValuePair<TKey, TValue>>
    where TKey : notnull
{
    private readonly Dictionary<TKey, int> _indexes;
    private readonly List<TKey> _keys;
    private readonly List<TValue> _values;

    public OrderedDictionary(IEqualityComparer<TKey>? comparer)
    {
        _indexes = new Dictionary<TKey, int>(comparer);
        _keys = [];
        _values = [];
    }

    public OrderedDictionary(OrderedDictionary<TKey, TValue> other, IEqualityComparer<TKey>? comparer)
    {
        _indexes = new Dictionary<TKey, int>(other._indexes, comparer);
        _keys = [.. other._keys];
        _values = [.. other._values];
    }

    public int Count => _keys.Count;

    public IReadOnlyList<TKey> Keys => _keys;

    public IReadOnlyList<TValue> Values => _values;

    public TValue this[TKey key]
    {
        get => _values[_indexes[key]];
        set
        {
            if (_indexes.TryGetValue(key, out int index))
            {
                _values[index] = value;
            }
            else
            {
                TryAdd(key, value);
            }
        }
    }

    public bool ContainsKey(TKey key) => _indexes.ContainsKey(key);

    public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        bool exists = _indexes.TryGetValue(key, out int index);
        value = exists ? _values[index] : default;
        return exists;
    }

    public bool TryAdd(TKey key, TValue value)
    {
        if (!_indexes.TryAdd(key, _keys.Count))
        {
            return false;
        }

        _keys.Add(key);
        _values.Add(value);
        return true;
    }

    public bool Remove(TKey key)
    {
        if (!_indexes.Remove(key, out int index))
        {
            return false;
        }

        _keys.RemoveAt(index);
        _values.RemoveAt(index);
        for (; index < _keys.Count; index++)
        {
            _indexes[_keys[index]] = index;
        }

        return true;
    }

    public KeyValuePair<TKey, TValue> GetAt(int index) => KeyValuePair.Create(_keys[index], _values[index]);

    public IEnumerator<KeyValuePair<TKey, TValue>> GetEnumerator() => _keys.Zip(_values, KeyValuePair.Create).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
