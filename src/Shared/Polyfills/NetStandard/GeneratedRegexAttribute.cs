using System.Reflection;

namespace System.Text.RegularExpressions;

/// <summary>Describes a regular expression. Since .NET 7, a source generator implements the method from it, and here, the expression is interpreted.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GeneratedRegexAttribute(string pattern, RegexOptions options = RegexOptions.None) : Attribute
{
    /// <summary>Creates the expression that is declared on a method.</summary>
    /// <param name="type">The type that has the method.</param>
    /// <param name="method">The name of the method.</param>
    public static Regex Create(Type type, string method)
    {
        GeneratedRegexAttribute declared = type
            .GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!
            .GetCustomAttribute<GeneratedRegexAttribute>()!;
        return new Regex(declared.Pattern, declared.Options);
    }

    public string Pattern { get; } = pattern;

    public RegexOptions Options { get; } = options;
}
