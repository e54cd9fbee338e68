using System.Globalization;
using System.Text.RegularExpressions;
using MoeOffload.Bindings.Generator.Model;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>Turns one header's AST nodes into the model.</summary>
internal sealed partial class HeaderReader(
    string name,
    HeaderSource source,
    IReadOnlyList<ClangNode> declarations,
    IReadOnlyList<Macro> macros,
    IReadOnlyDictionary<string, RecordLayout> layouts,
    ConstantProbe probe)
{
    /// <summary>Whether a declaration has no tag and the typedef after it gives it its only name: <c>typedef struct { … } name;</c></summary>
    public static bool IsNamedBy(ClangNode declaration, ClangNode typedef)
        => typedef.Kind == "TypedefDecl"
            && declaration is { Kind: "RecordDecl" or "EnumDecl", Name.Length: 0 }
            && declaration.Begin.Offset > typedef.Begin.Offset && declaration.End.Offset < typedef.End.Offset
            && typedef.Type.Split(' ')[^1] == typedef.Name;

    public CHeader Read()
    {
        var functions = new List<CFunction>();
        var structs = new List<CStruct>();
        var enums = new List<CEnum>();
        var typedefs = new List<CTypedef>();
        var constants = new List<CConstant>();

        foreach (Macro macro in macros)
        {
            constants.Add(probe.Constant(macro.Name, null, MacroDoc(macro.Name)) with { IsConstantExpression = true });
        }

        var before = new ClangNode();
        foreach (ClangNode node in declarations)
        {
            switch (node.Kind)
            {
                case "FunctionDecl":
                    functions.Add(Function(node));
                    break;
                case "VarDecl" when ConstantProbe.CanEvaluate(node):
                    constants.Add(probe.Constant(node.Name, node.Type, Doc(node)));
                    break;
                case "RecordDecl" when node.Name.Length > 0:
                    structs.Add(Record(node, node.Name, node.Name, Doc(node)));
                    break;
                case "EnumDecl":
                    enums.Add(Enum(node, node.Name, Doc(node)));
                    break;
                case "TypedefDecl" when IsNamedBy(before, node) && before.Kind == "RecordDecl":
                    structs.Add(Record(before, node.Name, node.Name, Doc(node)) with { IsTagless = true });
                    break;
                case "TypedefDecl" when IsNamedBy(before, node):
                    enums[^1] = enums[^1] with { Name = node.Name, IsTagless = true, Doc = Doc(node) };
                    break;
                case "TypedefDecl":
                    typedefs.Add(new CTypedef(node.Name, Type(node.Type, node), Doc(node)));
                    break;
            }

            before = node;
        }

        return new CHeader(name, [.. functions.DistinctBy(f => f.Name)], structs, enums, typedefs, constants);
    }

    private CFunction Function(ClangNode node)
    {
        List<ClangNode> parameters = [.. node.ChildrenOf("ParmVarDecl")];
        var about = new Dictionary<string, string>();
        foreach (ClangNode parameter in parameters.Where(p => p.Name.Length > 0))
        {
            about[parameter.Name] = "";
        }

        int begin = node.Begin.Offset;
        int end = source.EndOf(begin);
        bool isOneLine = source.AreOnOneLine(begin, end);
        List<string> lines = source.CommentAbove(begin);
        if (isOneLine)
        {
            lines.AddRange(source.CommentBehind(end));
        }

        CDoc doc = DocComments.Parse(lines, about);
        List<CParameter> result = [];
        foreach (ClangNode parameter in parameters)
        {
            string text = parameter.Name.Length == 0 ? "" : about[parameter.Name];
            if (!isOneLine && text.Length == 0)
            {
                text = DocComments.Parse(source.CommentBehind(parameter.Spelling.Offset + parameter.Spelling.TokenLength)).Summary;
            }

            result.Add(new CParameter(parameter.Name, Type(parameter.Type, parameter), text));
        }

        var function = (CType.Function)Type(node.Type, node);
        return new CFunction(
            node.Name, function.Result, result, node.IsVariadic, node.IsInline || node.StorageClass == "static",
            Deprecation(node, begin, end), doc);
    }

    // clang 14 dumps the attribute without its message, which is the last text in the declaration's source.
    private string? Deprecation(ClangNode node, int begin, int end)
    {
        ClangNode? attribute = node.Children.Find(c => c.Kind == "DeprecatedAttr");
        if (attribute is null || attribute.Message.Length > 0)
        {
            return attribute?.Message;
        }

        Match? message = LiteralSequence().Matches(source.Slice(begin, end)).LastOrDefault();
        return message is null ? "" : string.Concat(message.Groups["text"].Captures.Select(c => Regex.Unescape(c.Value)));
    }

    private CStruct Record(ClangNode node, string recordName, string layoutName, CDoc doc)
    {
        if (!node.IsComplete)
        {
            return new CStruct(recordName, node.Tag == "union", IsOpaque: true, 0, 0, [], doc);
        }

        RecordLayout layout = layouts[layoutName];
        var fields = new List<CField>();
        foreach (ClangNode field in node.ChildrenOf("FieldDecl"))
        {
            int? width = field.IsBitField ? int.Parse(field.Constant!, CultureInfo.InvariantCulture) : null;
            fields.Add(new CField(field.Name, Type(field.Type, node), layout.BitOffsets[fields.Count], width, Doc(field)));
        }

        return new CStruct(recordName, node.Tag == "union", IsOpaque: false, layout.Size, layout.Alignment, fields, doc);
    }

    private CEnum Enum(ClangNode node, string enumName, CDoc doc)
    {
        var members = new List<CEnumMember>();
        long next = 0;
        foreach (ClangNode member in node.ChildrenOf("EnumConstantDecl"))
        {
            string? value = member.Constant;
            long evaluated = value is null ? next : long.Parse(value, CultureInfo.InvariantCulture);
            next = evaluated + 1;

            // A member that was taken out stays as a comment above the next one, which it does not describe.
            List<string> lines = source.CommentAbove(member.Begin.Offset);
            lines.RemoveAll(l => FormerMember().IsMatch(l));
            lines.AddRange(source.CommentBehind(member.End.Offset + member.End.TokenLength));
            members.Add(new CEnumMember(member.Name, evaluated, DocComments.Parse(lines)));
        }

        return new CEnum(enumName, members, doc);
    }

    // The owner holds the declarations of the records without a tag that its fields use.
    private CType Type(string spelling, ClangNode owner) => CTypeParser.Parse(spelling, (line, column) =>
    {
        ClangNode record = owner.Children.Find(c => c.Kind == "RecordDecl" && c.Location.Line == line && c.Location.Column == column)
            ?? throw new GeneratorException($"{name}:{line}:{column}: a type without a name is used out of its place ('{spelling}').");
        return new CType.InlineRecord(Record(record, "", $"{record.Location.File}:{line}:{column}", CDoc.None));
    });

    private CDoc Doc(ClangNode node)
    {
        List<string> lines = source.CommentAbove(node.Begin.Offset);
        lines.AddRange(source.CommentBehind(source.EndOf(node.Begin.Offset)));
        return DocComments.Parse(lines);
    }

    private CDoc MacroDoc(string macro) => DocComments.Parse(source.CommentOfMacro(macro));

    [GeneratedRegex("""(?:"(?<text>(?:\\.|[^"\\])*)"\s*)+""")]
    private static partial Regex LiteralSequence();

    [GeneratedRegex(@"^\s*[A-Z][A-Z0-9_]*\s*=\s*-?\w+\s*,")]
    private static partial Regex FormerMember();
}
