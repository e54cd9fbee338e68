using System.Text;

namespace MoeOffload.Bindings.Generator.Emit;

/// <summary>Collects lines of code with their indentation; line ends are LF everywhere.</summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder _text = new();
    private int _indent;
    private bool _isSeparated = true;

    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            _text.Append(' ', 4 * _indent).Append(line);
        }

        _text.Append('\n');
        _isSeparated = line.Length == 0;
    }

    /// <summary>Leaves a blank line to what came before, but for the first thing in a block or behind another blank line.</summary>
    public void Separate()
    {
        if (!_isSeparated)
        {
            Line();
        }
    }

    public void Open(string line)
    {
        Line(line);
        Line("{");
        _indent++;
        _isSeparated = true;
    }

    public void Close()
    {
        _indent--;
        Line("}");
    }

    public override string ToString() => _text.ToString();
}
