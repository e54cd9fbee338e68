using FluentAssertions;
using MoeOffload.Cli.Terminals;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Cli.Tests.Terminals;

[TestFixture]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class LineEditorTests
{
    private readonly History _history = new(null);

    [TestCase("hello\r", "hello")]
    [TestCase("helo<Left>l\r", "hello")]
    [TestCase("xhello<Home><Delete>\r", "hello")]
    [TestCase("hello<Left><Left><End>!\r", "hello!")]
    [TestCase("say bye<^W>hello\r", "say hello")]
    [TestCase("nonsense<^U>hello\r", "hello")]
    [TestCase("hello world<^A><Right><Right><^K>\r", "he")]
    [TestCase("größe\b\bße\r", "größe")]
    [TestCase("😀😁\b\r", "😀")]
    [TestCase("😀<Left>x\r", "x😀")]
    [TestCase("one<^J>two\r", "one\ntwo")]
    public void Keys_edit_the_line(string typed, string expected)
    {
        Read(typed, out string line).Should().Be(LineEnd.Entered);

        line.Should().Be(expected);
    }

    [Test]
    public void Pasted_lines_are_one_text()
    {
        var keys = new Keys("one\rtwo\r") { IsPasted = true };

        new LineEditor(keys, TextWriter.Null, _history).Read("> ", out string line);

        line.Should().Be("one\ntwo");
    }

    [Test]
    public void Control_keys_leave_the_line()
    {
        Read("half<^C>", out _).Should().Be(LineEnd.Cancelled);
        Read("<^D>", out _).Should().Be(LineEnd.Closed);
        Read("half<^D>\r", out _).Should().Be(LineEnd.Entered);
    }

    [TestCase("<Up>\r", "second")]
    [TestCase("<Up><Up><Up>\r", "first")]
    [TestCase("draft<Up><Up><Down><Down>\r", "draft")]
    public void Arrows_go_through_the_history(string typed, string expected)
    {
        _history.Add("first");
        _history.Add("second");

        Read(typed, out string line);

        line.Should().Be(expected);
    }

    [Test]
    public void History_is_kept_in_a_file_that_only_its_owner_reads()
    {
        using var directory = new TemporaryDirectory();
        string path = directory["deep", "history"];
        var history = new History(path);
        history.Add("one\nof two lines");
        history.Add("two");
        history.Add("two");

        var later = new History(path);
        later.Rewind();

        later.Older(string.Empty).Should().Be("two");
        later.Older(string.Empty).Should().Be("one\nof two lines");
        later.Older(string.Empty).Should().BeNull();
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Test]
    public void History_keeps_the_latest_entries_and_stays_small()
    {
        using var directory = new TemporaryDirectory();
        string path = directory["history"];
        var history = new History(path);

        for (int i = 0; i < 3000; i++)
        {
            history.Add($"entry {i}");
        }

        File.ReadAllLines(path).Should().HaveCountLessThanOrEqualTo(1200).And.EndWith("\"entry 2999\"").And.Contain("\"entry 2000\"");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(path).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var later = new History(path);
        later.Rewind();
        later.Older(string.Empty).Should().Be("entry 2999");
    }

    [Test]
    public void Line_that_was_cut_off_costs_no_other_entry()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.Write("history", "\"one\"\n\"tw\n");

        var history = new History(path);
        history.Add("three");

        var later = new History(path);
        later.Rewind();
        later.Older(string.Empty).Should().Be("three");
        later.Older(string.Empty).Should().Be("one");
    }

    [Test]
    public void Huge_text_is_not_kept_in_the_file()
    {
        using var directory = new TemporaryDirectory();
        string path = directory["history"];
        var history = new History(path);

        history.Add("short");
        history.Add(new string('x', 1 << 20));

        new FileInfo(path).Length.Should().BeLessThan(1000);
    }

    [Test]
    public void Damaged_history_is_passed_over()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.Write("history", "no json\n");

        var history = new History(path);
        history.Add("still works");

        File.ReadAllText(path).Should().Be("no json\n");
    }

    [Test]
    public void Cursor_is_put_where_the_text_is_edited_also_when_it_fills_rows()
    {
        var screen = new StringWriter();
        var keys = new Keys("12345678901<Left><Left>\r") { Width = 10 };

        new LineEditor(keys, screen, _history).Read("> ", out _);

        Screen.Draw(screen.ToString(), 10).Should().Equal("> 12345678", "901");
    }

    private LineEnd Read(string typed, out string line) => new LineEditor(new Keys(typed), TextWriter.Null, _history).Read("> ", out line);

    /// <summary>Keys that are typed one after the other; names stand in angle brackets.</summary>
    private sealed class Keys : IKeys
    {
        private readonly Queue<ConsoleKeyInfo> _keys = new();

        public Keys(string typed)
        {
            for (int i = 0; i < typed.Length; i++)
            {
                int end = typed[i] == '<' ? typed.IndexOf('>', i) : i;
                _keys.Enqueue(Key(typed[i..(end + 1)]));
                i = end;
            }
        }

        public bool IsPasted { get; init; }

        public bool HasMore => IsPasted && _keys.Count > 0;

        public int Width { get; init; } = 80;

        public ConsoleKeyInfo Read() => _keys.Dequeue();

        private static ConsoleKeyInfo Key(string name) => name switch
        {
            "\r" => new('\r', ConsoleKey.Enter, false, false, false),
            "\b" => new('\b', ConsoleKey.Backspace, false, false, false),
            "<Left>" => new('\0', ConsoleKey.LeftArrow, false, false, false),
            "<Right>" => new('\0', ConsoleKey.RightArrow, false, false, false),
            "<Up>" => new('\0', ConsoleKey.UpArrow, false, false, false),
            "<Down>" => new('\0', ConsoleKey.DownArrow, false, false, false),
            "<Home>" => new('\0', ConsoleKey.Home, false, false, false),
            "<End>" => new('\0', ConsoleKey.End, false, false, false),
            "<Delete>" => new('\0', ConsoleKey.Delete, false, false, false),
            ['<', '^', var letter, '>'] => new((char)(letter - '@'), Enum.Parse<ConsoleKey>(letter.ToString()), false, false, control: true),
            _ => new(name[0], ConsoleKey.None, false, false, false),
        };
    }

    /// <summary>Simulates the screen of a terminal for the few escape sequences that the editor writes.</summary>
    private static class Screen
    {
        public static IEnumerable<string> Draw(string output, int width)
        {
            var rows = new List<List<char>> { new() };
            int row = 0;
            int column = 0;
            for (int i = 0; i < output.Length; i++)
            {
                char character = output[i];
                if (character == '\e')
                {
                    int end = i + 2;
                    while (!char.IsLetter(output[end]))
                    {
                        end++;
                    }

                    int count = int.TryParse(output.AsSpan(i + 2, end - i - 2), out int number) ? number : 1;
                    (row, column) = output[end] switch
                    {
                        'A' => (row - count, column),
                        'C' => (row, column + count),
                        _ => (row, column),
                    };
                    if (output[end] == 'J')
                    {
                        rows.RemoveRange(row + 1, rows.Count - row - 1);
                        rows[row].RemoveRange(Math.Min(column, rows[row].Count), Math.Max(0, rows[row].Count - column));
                    }

                    i = end;
                }
                else if (character == '\r')
                {
                    column = 0;
                }
                else if (character == '\n')
                {
                    row++;
                    Grow(rows, row);
                }
                else
                {
                    if (column == width)
                    {
                        (row, column) = (row + 1, 0);
                        Grow(rows, row);
                    }

                    while (rows[row].Count <= column)
                    {
                        rows[row].Add(' ');
                    }

                    rows[row][column++] = character;
                }
            }

            return rows.Select(cells => new string([.. cells])).Where(text => text.Length > 0);
        }

        private static void Grow(List<List<char>> rows, int row)
        {
            while (rows.Count <= row)
            {
                rows.Add([]);
            }
        }
    }
}
