namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>C names as C# identifiers.</summary>
internal static class CSharpNames
{
    private static readonly HashSet<string> s_keywords =
    [
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue",
        "decimal", "default", "delegate", "do", "double", "else", "enum", "event", "explicit", "extern", "false", "finally",
        "fixed", "float", "for", "foreach", "goto", "if", "implicit", "in", "int", "interface", "internal", "is", "lock",
        "long", "namespace", "new", "null", "object", "operator", "out", "override", "params", "private", "protected",
        "public", "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc", "static", "string",
        "struct", "switch", "this", "throw", "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort",
        "using", "virtual", "void", "volatile", "while",
    ];

    public static string Identifier(string name) => s_keywords.Contains(name) ? "@" + name : name;

    public static string Parameter(string name, int index) => name.Length == 0 ? $"arg{index}" : Identifier(name);

    /// <summary>The field that holds a struct or union without a name, whose members C reaches as the outer one's.</summary>
    public static string Field(string name) => name.Length == 0 ? "Anonymous" : Identifier(name);
}
