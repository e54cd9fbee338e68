using System.Globalization;
using System.Text.Json;

namespace MoeOffload.Server.Http;

/// <summary>
/// Reads the fields of a JSON object in a request. If a value has another type or is out of range, the error names the field. The same applies
/// to fields that were not read, when <see cref="RefuseUnknown"/> is called.
/// </summary>
internal sealed class JsonFields
{
    private readonly JsonElement _object;
    private readonly string _path;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Initializes the fields of an object.</summary>
    /// <param name="element">The object.</param>
    /// <param name="path">The name of the object in errors; empty for the body.</param>
    /// <exception cref="ApiException">The value is not an object.</exception>
    public JsonFields(JsonElement element, string path = "")
    {
        _object = element.ValueKind == JsonValueKind.Object
            ? element
            : throw Wrong(path.Length == 0 ? "The body" : path, "an object", path);
        _path = path;
    }

    /// <summary>Gets the object itself.</summary>
    public JsonElement Element => _object;

    /// <summary>Returns the name of a field in errors.</summary>
    public string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>Reads the value of a field; null if it is missing or null.</summary>
    public JsonElement? Any(string name)
    {
        _known.Add(name);
        return _object.TryGetProperty(name, out JsonElement value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;
    }

    /// <summary>Determines whether a field has a value other than null.</summary>
    public bool Has(string name) => Any(name) is not null;

    /// <summary>Reads a string; null if it is missing or null.</summary>
    public string? Text(string name) => Any(name) is { } value ? TextOf(value, PathOf(name)) : null;

    /// <summary>Reads a required string.</summary>
    public string RequiredText(string name) => Text(name) ?? throw Missing(name);

    /// <summary>Reads one of several words; null if it is missing or null.</summary>
    public string? Word(string name, params ReadOnlySpan<string> words)
    {
        string? text = Text(name);
        return text is null || words.Contains(text) ? text : throw ApiException.Invalid(
            $"'{PathOf(name)}' must be one of {string.Join(", ", words.ToArray())}.", PathOf(name));
    }

    /// <summary>Reads a Boolean value; null if it is missing or null.</summary>
    public bool? Flag(string name) => Any(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(PathOf(name), "a boolean", PathOf(name)),
    };

    /// <summary>Reads a number; null if it is missing or null.</summary>
    public float? Number(string name, double least = double.MinValue, double most = double.MaxValue)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double number) || !float.IsFinite((float)number))
        {
            throw Wrong(PathOf(name), "a finite number", PathOf(name));
        }

        return number >= least && number <= most
            ? (float)number
            : throw ApiException.Invalid(string.Create(CultureInfo.InvariantCulture, $"'{PathOf(name)}' must be from {least} to {most}."), PathOf(name));
    }

    /// <summary>Reads an integer; null if it is missing or null.</summary>
    public int? Integer(string name, int least = int.MinValue, int most = int.MaxValue) => (int?)Long(name, least, most);

    /// <summary>Reads a 64-bit integer; null if it is missing or null.</summary>
    public long? Long(string name, long least = long.MinValue, long most = long.MaxValue)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        // Some clients send integers with decimals, such as 40.0.
        long? number = value.ValueKind != JsonValueKind.Number ? null
            : value.TryGetInt64(out long whole) ? whole
            : value.TryGetDouble(out double real) && Math.Abs(real) < 1e15 && real == Math.Truncate(real) ? (long)real
            : null;
        if (number is null)
        {
            throw Wrong(PathOf(name), "an integer", PathOf(name));
        }

        return number >= least && number <= most
            ? number
            : throw ApiException.Invalid(string.Create(CultureInfo.InvariantCulture, $"'{PathOf(name)}' must be from {least} to {most}."), PathOf(name));
    }

    /// <summary>Reads an object; null if it is missing or null.</summary>
    public JsonFields? Object(string name) => Any(name) is { } value ? new JsonFields(value, PathOf(name)) : null;

    /// <summary>Reads the elements of an array, each with its name in errors; null if the array is missing or null.</summary>
    public IReadOnlyList<(JsonElement Value, string Path)>? Items(string name)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select((item, index) => (item, $"{PathOf(name)}[{index}]"))]
            : throw Wrong(PathOf(name), "an array", PathOf(name));
    }

    /// <summary>Reads an array of objects; empty if it is missing or null.</summary>
    public IReadOnlyList<JsonFields> Objects(string name) => [.. (Items(name) ?? []).Select(item => new JsonFields(item.Value, item.Path))];

    /// <summary>Reads a string or an array of strings; empty if it is missing or null.</summary>
    public IReadOnlyList<string> Texts(string name) => Any(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.String } text => [text.GetString()!],
        _ => [.. Items(name)!.Select(item => TextOf(item.Value, item.Path))],
    };

    /// <summary>Accepts fields that have no effect here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _known.Add(name);
        }
    }

    /// <summary>Rejects a field that requests an unsupported feature.</summary>
    public void Refuse(string name, string remedy)
    {
        if (Has(name))
        {
            throw ApiException.Invalid($"'{PathOf(name)}' is not supported: {remedy}.", PathOf(name), "unsupported_parameter");
        }
    }

    /// <summary>Rejects fields that were not read, because a mistyped name would otherwise be ignored silently.</summary>
    public void RefuseUnknown()
    {
        foreach (JsonProperty field in _object.EnumerateObject())
        {
            if (!_known.Contains(field.Name))
            {
                string name = field.Name.Length > 64 ? string.Concat(field.Name.AsSpan(0, 64), "…") : field.Name;
                throw ApiException.Invalid($"Unknown parameter: '{PathOf(name)}'.", PathOf(name), "unknown_parameter");
            }
        }
    }

    /// <summary>Creates an error for a missing field.</summary>
    public ApiException Missing(string name) => ApiException.Missing(PathOf(name));

    /// <summary>Reads a value as a string.</summary>
    /// <exception cref="ApiException">The value is not a string.</exception>
    public static string TextOf(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(path, "a string", path);

    /// <summary>Creates an error for a value of another type.</summary>
    public static ApiException Wrong(string what, string wanted, string path) =>
        ApiException.Invalid($"'{what}' must be {wanted}.", path.Length == 0 ? null : path, "invalid_type");
}
