namespace MoeOffload;

/// <summary>Refuses option values outside their range with the name, the value, the range and what to do.</summary>
internal static class OptionRange
{
    /// <summary>Refuses a value that is not a number, or lies outside a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It does.</exception>
    public static void Check(float value, float least, float most, string name, string remedy)
    {
        // Written so that NaN, for which every comparison is false, is refused.
        if (!(value >= least && value <= most))
        {
            throw Error(value, least, most, name, remedy);
        }
    }

    /// <summary>Refuses a value outside a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It lies outside.</exception>
    public static void Check(int value, int least, int most, string name, string remedy)
    {
        if (value < least || value > most)
        {
            throw Error(value, least, most, name, remedy);
        }
    }

    /// <summary>Refuses a value that is set and lies outside a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It lies outside.</exception>
    public static void Check(int? value, int least, int most, string name, string remedy)
    {
        if (value is { } set)
        {
            Check(set, least, most, name, remedy);
        }
    }

    /// <summary>Refuses a value that is set and is not a number, or lies outside a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It does.</exception>
    public static void Check(float? value, float least, float most, string name, string remedy)
    {
        if (value is { } set)
        {
            Check(set, least, most, name, remedy);
        }
    }

    /// <summary>Refuses a number that names no value of its enumeration.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It names none.</exception>
    public static void CheckDefined<TEnum>(TEnum value, string name)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new ArgumentOutOfRangeException(
                name, value, $"{name} is {value}; it must be one of {string.Join(", ", Enum.GetNames<TEnum>())}.");
        }
    }

    /// <summary>Refuses a number that is set and names no value of its enumeration.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It names none.</exception>
    public static void CheckDefined<TEnum>(TEnum? value, string name)
        where TEnum : struct, Enum
    {
        if (value is { } set)
        {
            CheckDefined(set, name);
        }
    }

    private static ArgumentOutOfRangeException Error<T>(T value, T least, T most, string name, string remedy)
        where T : IFormattable
    {
        FormattableString message = $"{name} is {value}; it must be {least} to {most}: {remedy}.";
        return new ArgumentOutOfRangeException(name, value, FormattableString.Invariant(message));
    }
}
