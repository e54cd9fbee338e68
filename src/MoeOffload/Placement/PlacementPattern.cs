using System.Text;

namespace MoeOffload;

/// <summary>A placement pattern that was read and found sound.</summary>
internal sealed class PlacementPattern
{
    private readonly PatternProgram _program;

    private PlacementPattern(PatternProgram program) => _program = program;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">It is malformed or beyond the limits; the message says where and why.</exception>
    public static PlacementPattern Parse(string pattern) => new(PatternParser.Parse(pattern));

    /// <summary>Whether the pattern is found in the name, or <see langword="null"/> where finding out costs too much.</summary>
    public bool? IsFoundIn(string tensorName) => PatternMatcher.Search(_program, Encoding.UTF8.GetBytes(tensorName));
}
