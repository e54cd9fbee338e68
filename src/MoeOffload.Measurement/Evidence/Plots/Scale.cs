using System.Globalization;

namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a linear scale that starts at 0, with ticks at round numbers.</summary>
internal sealed class Scale
{
    private readonly double _start;
    private readonly double _top;
    private readonly int _decimals;

    /// <summary>Initializes a scale.</summary>
    /// <param name="largest">The largest value that the scale must contain.</param>
    /// <param name="start">The position of 0, in pixels.</param>
    /// <param name="end">The position of the end, in pixels. It is less than the start if the scale goes upwards.</param>
    public Scale(double largest, double start, double end)
    {
        largest = double.IsFinite(largest) && largest > 0 ? largest : 1;
        double magnitude = Math.Pow(10, Math.Floor(Math.Log10(largest)));
        double step = new[] { 0.1, 0.2, 0.25, 0.5, 1, 2 }.Select(factor => factor * magnitude).First(candidate => largest / candidate <= 6);
        int count = (int)Math.Ceiling((largest / step) - 1e-9);
        _start = start;
        End = end;
        _top = count * step;

        // A step of 2.5 times a power of ten needs one more decimal.
        double power = Math.Floor(Math.Log10(step));
        bool isQuarter = step / Math.Pow(10, power) is > 2.4 and < 2.6;
        _decimals = Math.Max(0, (isQuarter ? 1 : 0) - (int)power);
        Ticks = [.. Enumerable.Range(0, count + 1).Select(index => index * step)];
    }

    /// <summary>Gets the position of the end, in pixels.</summary>
    public double End { get; }

    public IReadOnlyList<double> Ticks { get; }

    /// <summary>Returns the position of a value, in pixels.</summary>
    public double At(double value) => _start + ((End - _start) * Math.Clamp(value, 0, _top) / _top);

    /// <summary>Returns the text of a tick.</summary>
    public string Text(double tick) => tick.ToString("F" + _decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
