using System.Text;
using System.Text.RegularExpressions;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>Finds the macros of a header that can be constants, in what <c>clang -E -dD</c> prints.</summary>
internal static partial class MacroReader
{
    private const string Operators = "+-*/%&|^~!<>?:()";

    private static readonly HashSet<string> s_typeWords =
        ["sizeof", "char", "short", "int", "long", "signed", "unsigned", "float", "double",
         "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "size_t"];

    /// <summary>
    /// The object-like macros of the wanted files whose body is an expression of literals, operators,
    /// <paramref name="knownNames"/> and other such macros, in the order of definition.
    /// </summary>
    public static List<Macro> Read(byte[] preprocessed, Func<string, bool> isWanted, IEnumerable<string> knownNames)
    {
        var bodies = new Dictionary<string, string>();
        var found = new List<(string File, string Name)>();
        string file = "";
        foreach (string line in Encoding.UTF8.GetString(preprocessed).Split('\n'))
        {
            if (LineMarker().Match(line) is { Success: true } marker)
            {
                file = Unescape(marker.Groups["file"].Value);
            }
            else if (isWanted(file) && Directive().Match(line) is { Success: true } directive)
            {
                string name = directive.Groups["name"].Value;
                found.RemoveAll(m => m.Name == name);
                bodies.Remove(name);
                if (directive.Groups["body"].Success)
                {
                    found.Add((file, name));
                    bodies[name] = directive.Groups["body"].Value;
                }
            }
        }

        Dictionary<string, MacroKind> kinds = knownNames.Concat(s_typeWords).Distinct().ToDictionary(n => n, _ => MacroKind.Integer);
        return [.. found.Select(m => new Macro(m.File, m.Name, KindOf(m.Name, bodies, kinds))).Where(m => m.Kind != MacroKind.Other)];
    }

    private static MacroKind KindOf(string name, Dictionary<string, string> bodies, Dictionary<string, MacroKind> kinds)
    {
        if (kinds.TryGetValue(name, out MacroKind known))
        {
            return known;
        }

        // A macro that leads back to itself is not expanded again, and so is no constant.
        kinds[name] = MacroKind.Other;
        MacroKind kind = MacroKind.Other;
        foreach (string token in Token().Matches(bodies.GetValueOrDefault(name, "")).Select(m => m.Value).Where(t => !Operators.Contains(t[0])))
        {
            MacroKind own = token[0] switch
            {
                '"' => MacroKind.Text,
                '\'' => MacroKind.Integer,
                '.' or (>= '0' and <= '9') => IsFloating(token) ? MacroKind.Floating : MacroKind.Integer,
                _ => KindOf(token, bodies, kinds),
            };
            if (own == MacroKind.Other)
            {
                return MacroKind.Other;
            }

            kind = own > kind ? own : kind;
        }

        return kinds[name] = kind;
    }

    // clang writes what is not ASCII in a path as octal bytes.
    private static string Unescape(string path)
    {
        byte[] escaped = Encoding.UTF8.GetBytes(path);
        var bytes = new List<byte>();
        for (int i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '\\')
            {
                bytes.Add(escaped[i]);
            }
            else if (char.IsAsciiDigit((char)escaped[i + 1]))
            {
                bytes.Add(Convert.ToByte(Encoding.ASCII.GetString(escaped, i + 1, 3), 8));
                i += 3;
            }
            else
            {
                bytes.Add(escaped[++i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static bool IsFloating(string token)
        => !token.StartsWith("0x", StringComparison.OrdinalIgnoreCase) && token.AsSpan().IndexOfAny(".eEfF") >= 0;

    [GeneratedRegex(@"^# \d+ ""(?<file>.*)""")]
    private static partial Regex LineMarker();

    [GeneratedRegex(@"^#(?:undef (?<name>\w+)|define (?<name>\w+)(?:$|\(| (?<body>\S.*)?))")]
    private static partial Regex Directive();

    [GeneratedRegex("""L?"(\\.|[^"\\])*"|'(\\.|[^'\\])*'|\.?\d[\w.]*|\w+|\S""")]
    private static partial Regex Token();
}
