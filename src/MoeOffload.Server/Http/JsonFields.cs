using System.Globalization;
using System.Text.Json;

namespace MoeOffload.Server.Http;

/// <summary>
/// Reads the fields of a JSON object in a request. If a value has another type or is out of range, the error names the field. The ledger knows
/// which fields were read.
/// </summary>
internal sealed class JsonFields
{
    private readonly JsonElement _object;
    private readonly string _path;
    private readonly FieldLedger _ledger;
    private readonly HashSet<string> _known;

    /// <summary>Initializes the fields of an object.</summary>
    /// <param name="element">The object.</param>
    /// <param name="ledger">The ledger of the body.</param>
    /// <param name="path">The name of the object in errors; empty for the body.</param>
    /// <exception cref="ApiException">The value is not an object.</exception>
    public JsonFields(JsonElement element, FieldLedger ledger, string path = "")
    {
        _object = element.ValueKind == JsonValueKind.Object
            ? element
            : throw Wrong(path.Length == 0 ? "The body" : path, "an object", path);
        _path = path;
        _ledger = ledger;
        _known = ledger.Add(path, element);
    }

    /// <summary>Gets the name of the object in errors; empty for the body.</summary>
    public string Path => _path;

    /// <summary>Gets the names of the fields that have a value other than null, without reading them.</summary>
    public IEnumerable<string> Names => _object.EnumerateObject().Where(item => item.Value.ValueKind != JsonValueKind.Null).Select(item => item.Name);

    /// <summary>Gets the object itself, all of whose fields then count as read.</summary>
    public JsonElement Whole
    {
        get
        {
            _ledger.UseWhole(_path);
            return _object;
        }
    }

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
    public JsonFields? Object(string name) => Any(name) is { } value ? new JsonFields(value, _ledger, PathOf(name)) : null;

    /// <summary>Reads the fields of a part of this object that is itself an object.</summary>
    /// <param name="part">The part.</param>
    /// <param name="path">The name of the part in errors.</param>
    public JsonFields Part(JsonElement part, string path) => new(part, _ledger, path);

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
    public IReadOnlyList<JsonFields> Objects(string name) => [.. (Items(name) ?? []).Select(item => new JsonFields(item.Value, _ledger, item.Path))];

    /// <summary>Reads a string or an array of strings; empty if it is missing or null.</summary>
    public IReadOnlyList<string> Texts(string name) => Any(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.String } text => [text.GetString()!],
        _ => [.. Items(name)!.Select(item => TextOf(item.Value, item.Path))],
    };

    /// <summary>Accepts fields that have no effect here.</summary>
    public void Ignore(params IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            if (Has(name))
            {
                _ledger.Ignore(PathOf(name));
            }
        }
    }

    /// <summary>Accepts fields that describe or identify something, without counting them as fields that have no effect.</summary>
    public void Know(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            _known.Add(name);
        }
    }

    /// <summary>Records that this object was left out because the server does not support what it requests.</summary>
    public void LeaveOut()
    {
        _ledger.UseWhole(_path);
        _ledger.Ignore(_path);
    }

    /// <summary>Rejects a field that requests an unsupported feature, unless its value is the one that requests nothing.</summary>
    public void Refuse(string name, string remedy)
    {
        if (Any(name) is { } value && !IsNothing(value))
        {
            throw ApiException.Invalid($"'{PathOf(name)}' is not supported: {remedy}.", PathOf(name), "unsupported_parameter");
        }
    }

    /// <summary>Creates an error for a missing field.</summary>
    public ApiException Missing(string name) => ApiException.Missing(PathOf(name));

    /// <summary>Reads a value as a string.</summary>
    /// <exception cref="ApiException">The value is not a string.</exception>
    public static string TextOf(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(path, "a string", path);

    /// <summary>Determines whether a value is false, 0, or empty, with which clients say that they do not request a feature.</summary>
    public static bool IsNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False or JsonValueKind.Null or JsonValueKind.Undefined => true,
        JsonValueKind.Number => value.TryGetDouble(out double number) && number == 0,
        JsonValueKind.String => value.GetString()!.Length == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };

    /// <summary>Creates an error for a value of another type.</summary>
    public static ApiException Wrong(string what, string wanted, string path) =>
        ApiException.Invalid($"'{what}' must be {wanted}.", path.Length == 0 ? null : path, "invalid_type");
}
