using System.Globalization;
using System.Numerics;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents a decimal number of any size without rounding: the mantissa, which does not end with a zero, times a power of ten.</summary>
internal readonly record struct ExactNumber : IComparable<ExactNumber>
{
    private ExactNumber(BigInteger mantissa, long exponent, long digits)
    {
        Mantissa = mantissa;
        Exponent = exponent;
        Digits = digits;
    }

    /// <summary>Gets the mantissa.</summary>
    public BigInteger Mantissa { get; }

    /// <summary>Gets the exponent of ten.</summary>
    public long Exponent { get; }

    // The number of digits of the mantissa.
    private long Digits { get; }

    /// <summary>Gets a value that indicates whether the number is an integer.</summary>
    public bool IsWhole => Exponent >= 0;

    /// <summary>Gets the absolute value.</summary>
    public ExactNumber Magnitude => new(BigInteger.Abs(Mantissa), Exponent, Digits);

    /// <summary>Gets the number of digits before and after the decimal point, up to which the number must be written.</summary>
    public long Length => Math.Max(Digits + Math.Max(Exponent, 0), Math.Max(-Exponent, 0));

    /// <summary>Creates a number from an integer.</summary>
    public static ExactNumber Of(BigInteger value) => Of(value, 0);

    /// <summary>Parses a JSON number.</summary>
    public static ExactNumber Parse(string text)
    {
        int e = text.IndexOfAny(['e', 'E']);
        string digits = e < 0 ? text : text[..e];
        long exponent = e < 0 ? 0 : long.TryParse(text[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)
            ? Math.Clamp(value, -1_000_000_000, 1_000_000_000)
            : text[e + 1] == '-' ? -1_000_000_000 : 1_000_000_000;
        int point = digits.IndexOf('.', StringComparison.Ordinal);
        return point < 0
            ? Of(BigInteger.Parse(digits, CultureInfo.InvariantCulture), exponent)
            : Of(BigInteger.Parse(digits.Remove(point, 1), CultureInfo.InvariantCulture), exponent - (digits.Length - point - 1));
    }

    /// <summary>Determines whether the number is an integer times the divisor.</summary>
    public bool IsMultipleOf(ExactNumber divisor)
    {
        if (Mantissa.IsZero)
        {
            return true;
        }

        long shift = Exponent - divisor.Exponent;
        BigInteger modulus = BigInteger.Abs(divisor.Mantissa);
        return shift >= 0
            ? (BigInteger.Remainder(Mantissa, modulus) * BigInteger.ModPow(10, shift, modulus) % modulus).IsZero
            : -shift <= Digits + divisor.Digits && (Mantissa % (modulus * BigInteger.Pow(10, (int)-shift))).IsZero;
    }

    /// <summary>Returns the digits before and after the decimal point, of a number that is not negative.</summary>
    public (string Whole, string Fraction) Split()
    {
        string digits = Mantissa.ToString(CultureInfo.InvariantCulture);
        if (Exponent >= 0)
        {
            return (Mantissa.IsZero ? "0" : digits + new string('0', (int)Exponent), string.Empty);
        }

        digits = digits.PadLeft((int)-Exponent + 1, '0');
        return (digits[..^(int)-Exponent], digits[^(int)-Exponent..]);
    }

    /// <inheritdoc/>
    public int CompareTo(ExactNumber other)
    {
        if (Mantissa.Sign != other.Mantissa.Sign || Mantissa.IsZero)
        {
            return Mantissa.Sign.CompareTo(other.Mantissa.Sign);
        }

        long order = Digits + Exponent - other.Digits - other.Exponent;
        return order != 0
            ? (order > 0 ? Mantissa.Sign : -Mantissa.Sign)
            : Aligned(Math.Min(Exponent, other.Exponent)).CompareTo(other.Aligned(Math.Min(Exponent, other.Exponent)));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Mantissa}e{Exponent}");

    // The numbers have the same magnitude, so that the difference of the exponents is at most that of their digits.
    private BigInteger Aligned(long exponent) => Mantissa * BigInteger.Pow(10, (int)(Exponent - exponent));

    private static ExactNumber Of(BigInteger mantissa, long exponent)
    {
        if (mantissa.IsZero)
        {
            return new ExactNumber(0, 0, 1);
        }

        string digits = BigInteger.Abs(mantissa).ToString(CultureInfo.InvariantCulture);
        int zeros = digits.Length - digits.TrimEnd('0').Length;
        return new ExactNumber(zeros == 0 ? mantissa : mantissa / BigInteger.Pow(10, zeros), exponent + zeros, digits.Length - zeros);
    }
}
