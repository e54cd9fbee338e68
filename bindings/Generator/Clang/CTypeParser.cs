using System.Globalization;
using System.Text.RegularExpressions;
using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>Parses a type as clang spells it (<c>const char *(*)(int, void *)</c>): specifiers and an abstract declarator.</summary>
internal sealed partial class CTypeParser
{
    private static readonly HashSet<string> s_primitiveWords =
        ["void", "_Bool", "bool", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "__int128"];

    private readonly string _text;
    private readonly Func<int, int, CType> _inlineType;
    private readonly List<string> _tokens = [];
    private int _next;

    private CTypeParser(string text, Func<int, int, CType> inlineType)
    {
        _text = text;
        _inlineType = inlineType;
        foreach (Match match in Token().Matches(text))
        {
            _tokens.Add(match.Value);
        }
    }

    /// <summary>Parses <paramref name="text"/>; <paramref name="inlineType"/> gives the type without a tag at a line and column.</summary>
    public static CType Parse(string text, Func<int, int, CType> inlineType)
    {
        var parser = new CTypeParser(text, inlineType);
        CType type = parser.Declarator(parser.Specifiers());
        if (parser._next < parser._tokens.Count && parser.Peek is not "__attribute__")
        {
            throw parser.Unexpected();
        }

        return type;
    }

    private string Peek => _next < _tokens.Count ? _tokens[_next] : "";

    private CType Specifiers()
    {
        bool isConst = false;
        var words = new List<string>();
        CType? type = null;
        for (; _next < _tokens.Count; _next++)
        {
            string token = Peek;
            if (token == "const")
            {
                isConst = true;
            }
            else if (token is "struct" or "union" or "enum")
            {
                _next++;
                type = Tagged(token, Peek);
            }
            else if (s_primitiveWords.Contains(token))
            {
                words.Add(token == "bool" ? "_Bool" : token);
            }
            else if (token is not ("volatile" or "restrict" or "__restrict"))
            {
                if (type is not null || words.Count > 0 || !(char.IsLetter(token[0]) || token[0] == '_'))
                {
                    break;
                }

                type = new CType.Typedef(token);
            }
        }

        type ??= words.Count > 0 ? new CType.Primitive(Canonical(words)) : throw Unexpected();
        return type with { IsConst = isConst };
    }

    private CType Tagged(string keyword, string name)
    {
        Match unnamed = Unnamed().Match(name);
        if (unnamed.Success)
        {
            return _inlineType(
                int.Parse(unnamed.Groups["line"].Value, CultureInfo.InvariantCulture),
                int.Parse(unnamed.Groups["column"].Value, CultureInfo.InvariantCulture));
        }

        return keyword == "enum" ? new CType.Enum(name) : new CType.Record(name, keyword == "union");
    }

    private CType Declarator(CType type)
    {
        while (Peek == "*")
        {
            _next++;
            type = new CType.Pointer(type) { IsConst = PointerQualifiers() };
        }

        // "(" opens either a nested declarator, whose base is what follows its ")", or a list of parameters.
        if (Peek != "(" || _tokens.ElementAtOrDefault(_next + 1) is not ("*" or "("))
        {
            return Suffix(type);
        }

        int inner = _next + 1;
        SkipGroup();
        CType target = Suffix(type);
        int end = _next;
        _next = inner;
        CType result = Declarator(target);
        _next = end;
        return result;
    }

    private bool PointerQualifiers()
    {
        bool isConst = false;
        for (; Peek is "const" or "volatile" or "restrict" or "__restrict" or "_Nullable" or "_Nonnull"; _next++)
        {
            isConst |= Peek == "const";
        }

        return isConst;
    }

    private CType Suffix(CType type)
    {
        if (Peek == "[")
        {
            long length = _tokens[_next + 1] == "]" ? 0 : long.Parse(_tokens[_next + 1], CultureInfo.InvariantCulture);
            _next += length == 0 && _tokens[_next + 1] == "]" ? 2 : 3;
            return new CType.Array(Suffix(type), length);
        }

        return Peek == "(" ? Parameters(type) : type;
    }

    private CType.Function Parameters(CType result)
    {
        var parameters = new List<CType>();
        bool isVariadic = false;
        _next++;
        while (Peek != ")")
        {
            if (Peek == "...")
            {
                isVariadic = true;
                _next++;
            }
            else
            {
                parameters.Add(Declarator(Specifiers()));
            }

            if (Peek == ",")
            {
                _next++;
            }
            else if (Peek != ")")
            {
                throw Unexpected();
            }
        }

        _next++;
        if (parameters is [CType.Primitive { Name: "void" }])
        {
            parameters.Clear();
        }

        return new CType.Function(result, parameters, isVariadic);
    }

    private void SkipGroup()
    {
        int depth = 0;
        do
        {
            depth += Peek switch { "(" => 1, ")" => -1, "" => throw Unexpected(), _ => 0 };
            _next++;
        }
        while (depth > 0);
    }

    private static string Canonical(List<string> words)
    {
        bool isUnsigned = words.Contains("unsigned");
        int longs = words.Count(w => w == "long");
        if (words.Contains("char"))
        {
            return isUnsigned ? "unsigned char" : words.Contains("signed") ? "signed char" : "char";
        }

        if (words.Contains("double"))
        {
            return longs > 0 ? "long double" : "double";
        }

        string? alone = words.Find(w => w is "void" or "_Bool" or "float");
        string size = words.Contains("short") ? "short" : longs == 2 ? "long long" : longs == 1 ? "long"
            : words.Contains("__int128") ? "__int128" : "int";
        return alone ?? (isUnsigned ? "unsigned " : "") + size;
    }

    private GeneratorException Unexpected() => new($"'{_text}': unexpected '{Peek}' in a C type.");

    // A type without a tag is spelled with its place: "union outer::(anonymous at /path/header.h:301:9)".
    [GeneratedRegex(@"(?:[\w]+::)*\((?:anonymous|unnamed)[^)]*? at .*?:\d+:\d+\)|\.\.\.|\w+|\S")]
    private static partial Regex Token();

    [GeneratedRegex(@" at .*:(?<line>\d+):(?<column>\d+)\)$")]
    private static partial Regex Unnamed();
}
