using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>Lets clang evaluate macros and static constants: source that asks for the values, and a reader of the answers.</summary>
internal sealed class ConstantProbe
{
    private readonly Dictionary<string, string> _types = [];
    private readonly Dictionary<string, string> _values = [];

    /// <summary>Reads the answers from the AST of <see cref="Source"/>.</summary>
    public ConstantProbe(IEnumerable<ClangNode> probe)
    {
        foreach (ClangNode node in probe)
        {
            if (node.Kind == "VarDecl" && node.Name.StartsWith("probe_type_", StringComparison.Ordinal))
            {
                _types[node.Name["probe_type_".Length..]] = node.DesugaredType.Length > 0 ? node.DesugaredType : node.Type;
            }
            else if (node.Kind == "VarDecl" && node.Name.StartsWith("probe_value_", StringComparison.Ordinal))
            {
                _values[node.Name["probe_value_".Length..]] = Literal(node);
            }

            foreach (ClangNode member in node.ChildrenOf("EnumConstantDecl"))
            {
                if (member.Name.StartsWith("probe_value_", StringComparison.Ordinal))
                {
                    _values[member.Name["probe_value_".Length..]] = member.Constant!;
                }
            }
        }
    }

    /// <summary>Whether a declaration is a static constant that <see cref="Source"/> can ask for: an integer.</summary>
    public static bool CanEvaluate(ClangNode node)
        => node is { Kind: "VarDecl", StorageClass: "static" }
            && CTypeParser.Parse(node.DesugaredType.Length > 0 ? node.DesugaredType : node.Type, Unnamed)
                is CType.Primitive { IsConst: true, Name: not ("float" or "double" or "long double") };

    /// <summary>C source in which clang evaluates the macros and the static constants.</summary>
    public static string Source(IEnumerable<Macro> macros, IEnumerable<ClangNode> declarations)
    {
        var text = new StringBuilder();
        foreach (Macro macro in macros)
        {
            Append(text, macro.Name, macro.Kind);
        }

        foreach (ClangNode constant in declarations.Where(CanEvaluate))
        {
            Append(text, constant.Name, MacroKind.Integer);
        }

        return text.ToString();
    }

    /// <summary>The value of a name in <see cref="Source"/>.</summary>
    public CConstant Constant(string name, string? declaredType, CDoc doc)
    {
        string type = declaredType ?? _types[name];
        string value = _values[name];
        object evaluated = value.StartsWith('"') ? Regex.Unescape(value[1..^1])
            : type is "double" or "float" or "long double" ? double.Parse(value, CultureInfo.InvariantCulture)
            : Int128.Parse(value, CultureInfo.InvariantCulture);
        CType parsed = evaluated is string
            ? new CType.Pointer(new CType.Primitive("char") { IsConst = true })
            : CTypeParser.Parse(type, Unnamed);
        return new CConstant(name, parsed, evaluated, doc);
    }

    private static void Append(StringBuilder text, string name, MacroKind kind)
    {
        text.Append(CultureInfo.InvariantCulture, $"extern __typeof__({name}) probe_type_{name};\n");
        text.AppendLine(kind switch
        {
            MacroKind.Text => $"static const char probe_value_{name}[] = {name};",
            MacroKind.Floating => $"static const double probe_value_{name} = {name};",
            _ => $"enum {{ probe_value_{name} = ({name}) }};",
        });
    }

    private static CType Unnamed(int line, int column) => new CType.Primitive("void");

    // The literal under parentheses, casts and a sign.
    private static string Literal(ClangNode node)
    {
        string sign = "";
        for (ClangNode? part = node; part is not null; part = part.Children.Count == 1 ? part.Children[0] : null)
        {
            if (part.Kind is "StringLiteral" or "FloatingLiteral" or "IntegerLiteral")
            {
                return sign + part.Value;
            }

            sign = part is { Kind: "UnaryOperator", Operator: "-" } ? "-" : sign;
        }

        throw new GeneratorException($"The constant {node.Name["probe_value_".Length..]} is not a single literal.");
    }
}
