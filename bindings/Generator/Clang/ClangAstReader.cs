using System.Text.Json;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>
/// Reads the JSON that <c>clang -Xclang -ast-dump=json</c> prints, one top-level declaration at a time, and keeps those of
/// the wanted files: the dump is mostly system headers.
/// </summary>
internal ref struct ClangAstReader
{
    private readonly Func<string, bool> _isWanted;
    private Utf8JsonReader _json;

    // clang states a location's file and line only where they differ from the location printed before it, wanted or not.
    private string _file = "";
    private int _line;

    private ClangAstReader(ReadOnlySpan<byte> utf8, Func<string, bool> isWanted)
    {
        _json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 2048 });
        _isWanted = isWanted;
    }

    /// <summary>The top-level declarations whose file is wanted, in the order of the translation unit.</summary>
    public static List<ClangNode> Read(ReadOnlySpan<byte> utf8, Func<string, bool> isWanted)
    {
        var reader = new ClangAstReader(utf8, isWanted);
        var wanted = new List<ClangNode>();
        reader._json.Read();
        reader.ReadNode(wanted);
        return wanted;
    }

    private ClangNode ReadNode(List<ClangNode>? topLevel = null)
    {
        var node = new ClangNode();
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            string property = _json.GetString()!;
            _json.Read();
            ReadProperty(node, property, topLevel);
        }

        return node;
    }

    private void ReadProperty(ClangNode node, string property, List<ClangNode>? topLevel)
    {
        switch (property)
        {
            case "kind": node.Kind = Text(); break;
            case "name": node.Name = Text(); break;
            case "tagUsed": node.Tag = Text(); break;
            case "storageClass": node.StorageClass = Text(); break;
            case "message": node.Message = Text(); break;
            case "opcode": node.Operator = Text(); break;
            case "value": node.Value = Text(); break;
            case "completeDefinition": node.IsComplete = _json.GetBoolean(); break;
            case "isImplicit": node.IsImplicit = _json.GetBoolean(); break;
            case "variadic": node.IsVariadic = _json.GetBoolean(); break;
            case "inline": node.IsInline = _json.GetBoolean(); break;
            case "isBitfield": node.IsBitField = _json.GetBoolean(); break;
            case "type": ReadType(node); break;
            case "loc": (node.Location, node.Spelling) = ReadLocation(); break;
            case "range": ReadRange(node); break;
            case "inner": ReadChildren(node, topLevel); break;
            default: SkipValue(); break;
        }
    }

    private void ReadChildren(ClangNode node, List<ClangNode>? topLevel)
    {
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.StartObject)
            {
                continue;
            }

            ClangNode child = ReadNode();
            if (topLevel is null)
            {
                node.Children.Add(child);
            }
            else if (_isWanted(child.Location.File))
            {
                topLevel.Add(child);
            }
        }
    }

    private void ReadType(ClangNode node)
    {
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            string property = _json.GetString()!;
            _json.Read();
            switch (property)
            {
                case "qualType": node.Type = Text(); break;
                case "desugaredQualType": node.DesugaredType = Text(); break;
                default: _json.Skip(); break;
            }
        }
    }

    private void ReadRange(ClangNode node)
    {
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            bool isBegin = _json.ValueTextEquals("begin");
            _json.Read();
            ClangLocation location = ReadLocation().Expansion;
            if (isBegin)
            {
                node.Begin = location;
            }
            else
            {
                node.End = location;
            }
        }
    }

    private (ClangLocation Expansion, ClangLocation Spelling) ReadLocation()
    {
        ClangLocation expansion = ClangLocation.None, spelling = ClangLocation.None;
        bool isMacro = false, isArgument = false;
        int offset = 0, column = 0, length = 0;
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            string property = _json.GetString()!;
            _json.Read();
            switch (property)
            {
                case "file": _file = Text(); break;
                case "line": _line = _json.GetInt32(); break;
                case "offset": offset = _json.GetInt32(); break;
                case "col": column = _json.GetInt32(); break;
                case "tokLen": length = _json.GetInt32(); break;
                case "isMacroArgExpansion": isArgument = _json.GetBoolean(); break;
                case "spellingLoc": spelling = ReadLocation().Expansion; isMacro = true; break;
                case "expansionLoc": expansion = ReadLocation().Expansion; isMacro = true; break;
                default: _json.Skip(); break;
            }
        }

        if (isMacro)
        {
            return (expansion, expansion.IsMacroArgument ? spelling : expansion);
        }

        var plain = new ClangLocation(_file, offset, _line, column, length, isArgument);
        return column == 0 ? (expansion, spelling) : (plain, plain);
    }

    // Nested values hold locations too, which must be followed for the file and line of the next one.
    private void SkipValue()
    {
        if (_json.TokenType == JsonTokenType.StartObject)
        {
            ReadNode();
        }
        else if (_json.TokenType == JsonTokenType.StartArray)
        {
            ReadChildren(new ClangNode(), null);
        }
    }

    private readonly string Text() => _json.TokenType == JsonTokenType.String ? _json.GetString()! : "";
}
