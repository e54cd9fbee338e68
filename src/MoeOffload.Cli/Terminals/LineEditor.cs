using System.Text;
using Spectre.Console;

namespace MoeOffload.Cli.Terminals;

/// <summary>
/// Reads lines from the keyboard, with the usual keys of terminals: arrows, Home, End, Ctrl-A, Ctrl-E, Ctrl-U, Ctrl-K, Ctrl-W, and the
/// history with the up and down arrows. Pasted text can have several lines.
/// </summary>
internal sealed class LineEditor(IKeys keys, TextWriter screen, History history)
{
    private readonly StringBuilder _text = new();
    private string _prompt = string.Empty;
    private int _at;
    private int _row;

    /// <summary>Reads a line.</summary>
    /// <param name="prompt">The text before the line.</param>
    /// <param name="line">The line.</param>
    /// <returns>How the input of the line ended.</returns>
    public LineEnd Read(string prompt, out string line)
    {
        _prompt = prompt;
        _text.Clear();
        _at = 0;
        _row = 0;
        history.Rewind();
        Draw();
        LineEnd? end = null;
        while (end is null)
        {
            end = Take(keys.Read());
        }

        _at = _text.Length;
        Draw();
        screen.Write("\r\n");
        line = _text.ToString();
        return end.Value;
    }

    private LineEnd? Take(ConsoleKeyInfo key)
    {
        if (key.Modifiers.HasFlag(ConsoleModifiers.Control) && TakeControl(key.Key) is var (isDone, end))
        {
            return isDone ? end : null;
        }

        switch (key.Key)
        {
            case ConsoleKey.Enter when keys.HasMore || key.Modifiers.HasFlag(ConsoleModifiers.Alt):
                Insert("\n");
                break;
            case ConsoleKey.Enter:
                return LineEnd.Entered;
            case ConsoleKey.Backspace:
                Remove(Previous(_at), _at);
                break;
            case ConsoleKey.Delete:
                Remove(_at, Next(_at));
                break;
            case ConsoleKey.LeftArrow:
                MoveTo(Previous(_at));
                break;
            case ConsoleKey.RightArrow:
                MoveTo(Next(_at));
                break;
            case ConsoleKey.Home:
                MoveTo(0);
                break;
            case ConsoleKey.End:
                MoveTo(_text.Length);
                break;
            case ConsoleKey.UpArrow:
                Replace(history.Older(_text.ToString()));
                break;
            case ConsoleKey.DownArrow:
                Replace(history.Newer());
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                {
                    Insert(key.KeyChar.ToString());
                }

                break;
        }

        return null;
    }

    private (bool IsDone, LineEnd End)? TakeControl(ConsoleKey key)
    {
        switch (key)
        {
            case ConsoleKey.C:
                return (true, LineEnd.Cancelled);
            case ConsoleKey.D when _text.Length == 0:
                return (true, LineEnd.Closed);
            case ConsoleKey.D:
                Remove(_at, Next(_at));
                break;
            case ConsoleKey.A:
                MoveTo(0);
                break;
            case ConsoleKey.E:
                MoveTo(_text.Length);
                break;
            case ConsoleKey.U:
                Remove(0, _at);
                break;
            case ConsoleKey.K:
                Remove(_at, _text.Length);
                break;
            case ConsoleKey.W:
                Remove(WordBefore(_at), _at);
                break;
            case ConsoleKey.J:
                Insert("\n");
                break;
            default:
                return null;
        }

        return (false, default);
    }

    private void Insert(string text)
    {
        _text.Insert(_at, text);
        _at += text.Length;
        if (!keys.HasMore)
        {
            Draw();
        }
    }

    private void Remove(int from, int to)
    {
        _text.Remove(from, to - from);
        MoveTo(from);
    }

    private void MoveTo(int at)
    {
        _at = at;
        Draw();
    }

    private void Replace(string? text)
    {
        if (text is not null)
        {
            _text.Clear().Append(text);
            MoveTo(_text.Length);
        }
    }

    private int Previous(int at) => at <= 1 ? 0 : char.IsLowSurrogate(_text[at - 1]) ? at - 2 : at - 1;

    private int Next(int at) => at >= _text.Length ? at : char.IsHighSurrogate(_text[at]) && at + 1 < _text.Length ? at + 2 : at + 1;

    private int WordBefore(int at)
    {
        while (at > 0 && char.IsWhiteSpace(_text[at - 1]))
        {
            at--;
        }

        while (at > 0 && !char.IsWhiteSpace(_text[at - 1]))
        {
            at--;
        }

        return at;
    }

    // Redraws everything from the beginning of the prompt, which is above the cursor by the number of rows that the cursor moved down.
    private void Draw()
    {
        var output = new StringBuilder();
        output.Append('\r');
        if (_row > 0)
        {
            output.Append("\e[").Append(_row).Append('A');
        }

        string text = _text.ToString();
        output.Append("\e[J").Append(_prompt).Append(text.Replace("\n", "\r\n", StringComparison.Ordinal));
        (int endRow, int endColumn) = Place(_text.Length);
        (int row, int column) = Place(_at);
        if (endColumn == 0 && endRow > 0 && text[^1] != '\n')
        {
            // A terminal moves to the next row only when something is written there.
            output.Append("\r\n");
        }

        if (endRow > row)
        {
            output.Append("\e[").Append(endRow - row).Append('A');
        }

        output.Append('\r');
        if (column > 0)
        {
            output.Append("\e[").Append(column).Append('C');
        }

        _row = row;
        screen.Write(output);
        screen.Flush();
    }

    // Returns the screen position of a position in the text. Rows are counted from that of the prompt.
    private (int Row, int Column) Place(int at)
    {
        int row = 0;
        int column = _prompt.GetCellWidth();
        foreach (Rune rune in _text.ToString(0, at).EnumerateRunes())
        {
            if (rune.Value == '\n')
            {
                (row, column) = (row + 1, 0);
                continue;
            }

            int width = rune.ToString().GetCellWidth();
            if (column + width > keys.Width)
            {
                (row, column) = (row + 1, 0);
            }

            column += width;
            if (column == keys.Width)
            {
                (row, column) = (row + 1, 0);
            }
        }

        return (row, column);
    }
}
