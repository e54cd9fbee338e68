namespace MoeOffload;

/// <summary>Checks that option values are in range. The exceptions say the option's name, its value, the range and what can be done.</summary>
internal static class OptionRange
{
    /// <summary>Checks that a value is in a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range, or is not a number.</exception>
    public static void Check(float value, float least, float most, string name, string remedy)
    {
        // The condition is negated so that it also holds for NaN, for which every comparison is false.
        if (!(value >= least && value <= most))
        {
            throw Error(value, least, most, name, remedy);
        }
    }

    /// <summary>Checks that a value is in a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public static void Check(int value, int least, int most, string name, string remedy)
    {
        if (value < least || value > most)
        {
            throw Error(value, least, most, name, remedy);
        }
    }

    /// <summary>Checks that a value, if it is set, is in a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range.</exception>
    public static void Check(int? value, int least, int most, string name, string remedy)
    {
        if (value is { } set)
        {
            Check(set, least, most, name, remedy);
        }
    }

    /// <summary>Checks that a value, if it is set, is in a range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside the range, or is not a number.</exception>
    public static void Check(float? value, float least, float most, string name, string remedy)
    {
        if (value is { } set)
        {
            Check(set, least, most, name, remedy);
        }
    }

    /// <summary>Checks that a value is defined in its enumeration.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not defined.</exception>
    public static void CheckDefined<TEnum>(TEnum value, string name)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new ArgumentOutOfRangeException(
                name, value, $"{name} is {value}; it must be one of {string.Join(", ", Enum.GetNames<TEnum>())}.");
        }
    }

    /// <summary>Checks that a value, if it is set, is defined in its enumeration.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not defined.</exception>
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
