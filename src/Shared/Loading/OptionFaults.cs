using System.Globalization;

namespace MoeOffload.Shared;

/// <summary>Collects the errors in options, so that all of them are reported at once.</summary>
internal sealed class OptionFaults
{
    // One day is more than any request needs and within the limits of timers.
    private static readonly TimeSpan s_longestTime = TimeSpan.FromDays(1);

    private readonly List<string> _messages = [];

    /// <summary>Gets the messages of the errors, in the order of the checks.</summary>
    public IReadOnlyList<string> Messages => _messages;

    /// <summary>Adds an error.</summary>
    /// <param name="message">A message that says what is wrong, where, and how to correct it.</param>
    public void Add(string message) => _messages.Add(message);

    /// <summary>Checks that an option is set.</summary>
    /// <returns><see langword="false"/> if it is null.</returns>
    public bool Require(object? value, string name)
    {
        if (value is null)
        {
            Add($"{name} is null: set it, or keep its default.");
        }

        return value is not null;
    }

    /// <summary>Checks that a number is greater than 0; null is allowed.</summary>
    public void RequirePositive(long? value, string name)
    {
        if (value <= 0)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: use a number greater than 0."));
        }
    }

    /// <summary>Checks that a time is greater than 0; null is allowed.</summary>
    public void RequirePositive(TimeSpan? value, string name)
    {
        if (value <= TimeSpan.Zero)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: use a time greater than 0."));
        }
    }

    /// <summary>Checks that a time is greater than 0 and at most one day.</summary>
    public void RequireTimeLimit(TimeSpan value, string name)
    {
        RequirePositive(value, name);
        if (value > s_longestTime)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: use at most one day."));
        }
    }

    /// <summary>Runs a check that throws.</summary>
    public void Run(Action check, string name)
    {
        try
        {
            check();
        }
        catch (ArgumentException error)
        {
            Add($"{name}: {error.Message}");
        }
    }
}
