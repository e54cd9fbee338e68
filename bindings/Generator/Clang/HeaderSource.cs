using System.Text;
using System.Text.RegularExpressions;

namespace MoeOffload.Bindings.Generator.Clang;

/// <summary>
/// The text of a header, for what clang's AST leaves out: which comment belongs to which declaration, and the message of a
/// deprecation. clang attaches a comment across blank lines, so that a section's title would document its first function,
/// and none at all to a macro, a parameter or a second line behind a field.
/// </summary>
internal sealed partial class HeaderSource
{
    private readonly byte[] _utf8;
    private readonly string[] _lines;

    public HeaderSource(string file)
    {
        _utf8 = File.ReadAllBytes(file);
        _lines = Encoding.UTF8.GetString(_utf8).Split('\n');
        for (int i = 0; i < _lines.Length; i++)
        {
            _lines[i] = Untab(_lines[i].TrimEnd('\r'));
        }
    }

    /// <summary>The header's text between two byte offsets.</summary>
    public string Slice(int begin, int end) => Encoding.UTF8.GetString(_utf8.AsSpan(begin, end - begin));

    /// <summary>The offset behind the semicolon that ends the declaration beginning at a byte offset.</summary>
    public int EndOf(int offset)
    {
        int depth = 0;
        for (int i = offset; i < _utf8.Length; i++)
        {
            char c = (char)_utf8[i];
            if (c == '/' && Next(i) == '/')
            {
                i = Find("\n"u8, i);
            }
            else if (c == '/' && Next(i) == '*')
            {
                i = Find("*/"u8, i) + 1;
            }
            else if (c == '"')
            {
                for (i++; i < _utf8.Length && _utf8[i] != '"'; i++)
                {
                    i += _utf8[i] == '\\' ? 1 : 0;
                }
            }
            else if (c is '(' or '{' or '[')
            {
                depth++;
            }
            else if (c == ';' && depth == 0)
            {
                return i + 1;
            }
            else if (c is ')' or '}' or ']' && --depth < 0)
            {
                return i;
            }
        }

        return _utf8.Length;
    }

    /// <summary>Whether two byte offsets are on one line.</summary>
    public bool AreOnOneLine(int first, int second) => LineAt(first) == LineAt(second);

    /// <summary>The comment directly above the declaration that begins at a byte offset; none across a blank line.</summary>
    public List<string> CommentAbove(int offset)
        => Opening().IsMatch(Slice(LineStart(offset), offset)) ? CommentAboveLine(LineAt(offset)) : [];

    /// <summary>The comment above a macro's definition and behind it.</summary>
    public List<string> CommentOfMacro(string name)
    {
        int line = Array.FindIndex(_lines, l => Regex.IsMatch(l, $@"^\s*#\s*define\s+{Regex.Escape(name)}\b"));
        if (line < 0)
        {
            return [];
        }

        List<string> text = CommentAboveLine(line);
        if (TrailingColumn(line) is int column and >= 0)
        {
            text.Add(CommentText(_lines[line][column..]));
        }

        return text;
    }

    /// <summary>The comment behind the declaration that ends at a byte offset, with the lines below that continue it.</summary>
    public List<string> CommentBehind(int offset)
    {
        int line = LineAt(offset);
        int column = Untab(Slice(LineStart(offset), offset)).Length;
        string rest = _lines[line][column..];
        Match behind = Behind().Match(rest);
        if (!behind.Success)
        {
            return [];
        }

        List<string> text = [CommentText(behind.Groups["comment"].Value)];
        int marker = column + behind.Groups["comment"].Index;
        for (int i = line + 1; i < _lines.Length && IsCommentLine(i) && _lines[i].IndexOf("//", StringComparison.Ordinal) == marker; i++)
        {
            text.Add(CommentText(_lines[i]));
        }

        return text;
    }

    private List<string> CommentAboveLine(int end)
    {
        int first = end;
        while (first > 0 && IsCommentLine(first - 1))
        {
            first--;
        }

        // Lines that go on with the comment behind the code above them belong to that code.
        if (first > 0 && TrailingColumn(first - 1) is int column and >= 0)
        {
            while (first < end && _lines[first].IndexOf("//", StringComparison.Ordinal) == column)
            {
                first++;
            }
        }

        return [.. _lines[first..end].Select(CommentText)];
    }

    private int LineAt(int offset) => _utf8.AsSpan(0, offset).Count((byte)'\n');

    private int LineStart(int offset) => _utf8.AsSpan(0, offset).LastIndexOf((byte)'\n') + 1;

    private int TrailingColumn(int line)
    {
        int marker = _lines[line].IndexOf("//", StringComparison.Ordinal);
        return marker > 0 && _lines[line].AsSpan(0, marker).Trim().Length > 0 ? marker : -1;
    }

    private bool IsCommentLine(int line)
    {
        string text = _lines[line].Trim();
        return text.StartsWith("//", StringComparison.Ordinal)
            || text.StartsWith("/*", StringComparison.Ordinal) && text.IndexOf("*/", StringComparison.Ordinal) is int end
                && (end < 0 || end == text.Length - 2)
            || IsInsideBlock(line, text);
    }

    // A line of a block comment that began above it.
    private bool IsInsideBlock(int line, string text)
    {
        if (!(text.StartsWith('*') || text.EndsWith("*/", StringComparison.Ordinal)))
        {
            return false;
        }

        for (int i = line - 1; i >= 0; i--)
        {
            if (_lines[i].Contains("*/", StringComparison.Ordinal))
            {
                return false;
            }

            if (_lines[i].TrimStart().StartsWith("/*", StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private static string Untab(string text) => text.Replace("\t", "    ", StringComparison.Ordinal);

    private static string CommentText(string line) => Markers().Replace(line.Trim(), "").TrimEnd();

    private int Next(int i) => i + 1 < _utf8.Length ? _utf8[i + 1] : 0;

    private int Find(ReadOnlySpan<byte> text, int from)
        => _utf8.AsSpan(from).IndexOf(text) is int i and >= 0 ? from + i : _utf8.Length;

    // What may stand before a declaration on its line: macros that expand to nothing or wrap it, and typedef.
    [GeneratedRegex(@"^\s*(?:[A-Z_][A-Z0-9_]*\b\s*\(?\s*)*(?:typedef\s+)?$")]
    private static partial Regex Opening();

    [GeneratedRegex(@"^//+[!<]*|^/\*+[!<]*|\*+/$|^\*(?!/)")]
    private static partial Regex Markers();

    [GeneratedRegex(@"^\s*[,;)]*\s*(?<comment>//.*|/\*.*\*/\s*)$")]
    private static partial Regex Behind();
}
