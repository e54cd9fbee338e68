using System.Globalization;
using System.Text.Json;

namespace MoeOffload.Games.Actions;

/// <summary>Represents a parameter of an action together with its type: its schema, and how its values are read. It needs no reflection over methods.</summary>
internal sealed class ActionArgument<T> : IActionArgument
{
    private static readonly Type s_type = Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T);

    private readonly ActionParameter _parameter;
    private readonly ArgumentKind _kind;
    private readonly string[] _choices;

    /// <summary>Initializes a new instance of the <see cref="ActionArgument{T}"/> class.</summary>
    /// <exception cref="ArgumentException">The type is not supported, or the parameter does not fit it.</exception>
    public ActionArgument(ActionParameter parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        _parameter = parameter;
        _kind = KindOf(s_type);
        _choices = _kind == ArgumentKind.Choice ? Enum.GetNames(s_type) : [.. parameter.Choices];
        IsOptional = parameter.IsOptional || Nullable.GetUnderlyingType(typeof(T)) is not null;
        Check();
    }

    /// <inheritdoc/>
    public string Name => _parameter.Name;

    /// <inheritdoc/>
    public bool IsOptional { get; }

    /// <summary>Reads the value from the arguments of a call.</summary>
    /// <exception cref="FormatException">The value is missing or not valid. The message is for the model.</exception>
    public T Read(JsonElement arguments)
    {
        if (!arguments.TryGetProperty(Name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return IsOptional ? default! : throw new FormatException($"'{Name}' is missing.");
        }

        return (T)(ReadValue(value) ?? throw new FormatException($"'{Name}' cannot be {value.GetRawText()}. It must be {Describe()}."));
    }

    /// <inheritdoc/>
    public void WriteSchema(Utf8JsonWriter json)
    {
        json.WriteStartObject(Name);
        json.WriteString("type", _kind switch
        {
            ArgumentKind.Boolean => "boolean",
            ArgumentKind.Integer => "integer",
            ArgumentKind.Fraction => "number",
            _ => "string",
        });
        if (_parameter.Description.Length > 0)
        {
            json.WriteString("description", _parameter.Description);
        }

        if (_choices.Length > 0)
        {
            json.WriteStartArray("enum");
            foreach (string choice in _choices)
            {
                json.WriteStringValue(choice);
            }

            json.WriteEndArray();
        }

        WriteBound(json, "minimum", _parameter.Minimum);
        WriteBound(json, "maximum", _parameter.Maximum);
        json.WriteEndObject();
    }

    private static void WriteBound(Utf8JsonWriter json, string name, double? bound)
    {
        if (bound is { } value)
        {
            // A schema of an integer has no bound such as 1E+16.
            json.WritePropertyName(name);
            json.WriteRawValue(((decimal)value).ToString(CultureInfo.InvariantCulture));
        }
    }

    private static ArgumentKind KindOf(Type type) =>
        type == typeof(string) ? ArgumentKind.Text
        : type == typeof(bool) ? ArgumentKind.Boolean
        : type == typeof(int) || type == typeof(long) || type == typeof(short) || type == typeof(byte) ? ArgumentKind.Integer
        : type == typeof(float) || type == typeof(double) ? ArgumentKind.Fraction
        : type.IsEnum ? ArgumentKind.Choice
        : throw new ArgumentException(
            $"The parameters of an action cannot have the type {typeof(T)}. Use string, bool, int, long, short, byte, float, double or an enumeration, or the nullable form of one.",
            nameof(T));

    private void Check()
    {
        bool isNumber = _kind is ArgumentKind.Integer or ArgumentKind.Fraction;
        if (!isNumber && (_parameter.Minimum ?? _parameter.Maximum) is not null)
        {
            throw new ArgumentException($"'{Name}' has a minimum or a maximum, but is no number.", nameof(_parameter));
        }

        if (_parameter.Minimum > _parameter.Maximum || IsOutOfRange(_parameter.Minimum) || IsOutOfRange(_parameter.Maximum))
        {
            throw new ArgumentException($"The minimum of '{Name}' is {_parameter.Minimum}, and its maximum is {_parameter.Maximum}. Specify a range of numbers up to 10^15.", nameof(_parameter));
        }

        if (_kind != ArgumentKind.Text && _parameter.Choices.Count > 0)
        {
            throw new ArgumentException($"'{Name}' has choices, but is no string. Use an enumeration.", nameof(_parameter));
        }

        if (_parameter.IsOptional && default(T) is not null)
        {
            throw new ArgumentException($"'{Name}' is optional, but its type {typeof(T)} cannot be null. Use {typeof(T)}?.", nameof(_parameter));
        }
    }

    // NaN is not in range.
    private static bool IsOutOfRange(double? bound) => bound is { } value && !(Math.Abs(value) <= 1e15);

    private object? ReadValue(JsonElement value) => (_kind, value.ValueKind) switch
    {
        (ArgumentKind.Text, JsonValueKind.String) when value.GetString() is { } text && (_choices.Length == 0 || _choices.Contains(text)) => text,
        (ArgumentKind.Choice, JsonValueKind.String) when value.GetString() is { } name && _choices.Contains(name) => Enum.Parse(s_type, name),
        (ArgumentKind.Boolean, JsonValueKind.True) => true,
        (ArgumentKind.Boolean, JsonValueKind.False) => false,
        (ArgumentKind.Integer, JsonValueKind.Number) when value.TryGetDecimal(out decimal number) && number == decimal.Truncate(number) => ToInteger(number),
        (ArgumentKind.Fraction, JsonValueKind.Number) when value.TryGetDouble(out double number) && double.IsFinite(number) && IsInRange(number) => ToFraction(number),
        _ => null,
    };

    private object? ToInteger(decimal number)
    {
        try
        {
            return IsInRange((double)number) ? Convert.ChangeType(number, s_type, CultureInfo.InvariantCulture) : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    private static object? ToFraction(double number) =>
        s_type == typeof(double) ? Convert.ChangeType(number, s_type, CultureInfo.InvariantCulture)
        : float.IsFinite((float)number) ? Convert.ChangeType((float)number, s_type, CultureInfo.InvariantCulture)
        : null;

    private bool IsInRange(double number) => !(number < _parameter.Minimum) && !(number > _parameter.Maximum);

    private string Describe()
    {
        string range = (_parameter.Minimum, _parameter.Maximum) switch
        {
            ({ } least, { } most) => string.Create(CultureInfo.InvariantCulture, $" from {least} to {most}"),
            ({ } least, null) => string.Create(CultureInfo.InvariantCulture, $" of at least {least}"),
            (null, { } most) => string.Create(CultureInfo.InvariantCulture, $" of at most {most}"),
            _ => string.Empty,
        };
        return _choices.Length > 0 ? $"one of: {string.Join(", ", _choices)}" : _kind switch
        {
            ArgumentKind.Boolean => "true or false",
            ArgumentKind.Integer => $"a whole number{range}",
            ArgumentKind.Fraction => $"a number{range}",
            _ => "a text",
        };
    }
}
