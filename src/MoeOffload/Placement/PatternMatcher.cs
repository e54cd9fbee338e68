namespace MoeOffload;

/// <summary>
/// Searches a tensor name for a compiled pattern in the way of the C++ library, by backtracking: the same branches are tried
/// in the same order, so that its count of steps says whether llama.cpp would hang or overflow its stack on the pattern.
/// </summary>
internal sealed class PatternMatcher
{
    /// <summary>Steps for one name after which a pattern counts as pathological; the usual ones take some hundreds.</summary>
    public const int MaxSteps = 100_000;

    // Each is one call deep in the C++ library, of some hundred bytes of stack.
    private const int MaxDepth = 3_000;

    private readonly PatternProgram _program;
    private readonly byte[] _name;
    private readonly (int Start, int End)[] _groups;
    private (int Position, int Count)[] _visits;
    private int _steps;
    private int _depth;
    private bool _tooCostly;

    private PatternMatcher(PatternProgram program, byte[] name)
    {
        _program = program;
        _name = name;
        _groups = new (int, int)[program.GroupCount];
        _visits = new (int, int)[program.States.Length];
    }

    /// <summary>Whether the pattern is found in the name, or <see langword="null"/> where that costs too much to find out.</summary>
    public static bool? Search(PatternProgram program, byte[] name)
    {
        var matcher = new PatternMatcher(program, name);
        Array.Fill(matcher._groups, (-1, -1));
        for (var start = 0; start <= name.Length; start++)
        {
            var found = matcher.Run(program.Entry, start);
            if (matcher._tooCostly)
            {
                return null;
            }

            if (found)
            {
                return true;
            }
        }

        return false;
    }

    private bool Run(int state, int position)
    {
        var depth = _depth;
        var matched = Follow(state, position);
        _depth = depth;
        return matched;
    }

    private bool Follow(int index, int position)
    {
        while (true)
        {
            if (_tooCostly || ++_steps > MaxSteps || ++_depth > MaxDepth)
            {
                _tooCostly = true;
                return false;
            }

            var state = _program.States[index];
            switch (state.Operation)
            {
                case PatternOperation.Accept:
                    return true;
                case PatternOperation.Take:
                    if (position == _name.Length || !state.Set!.Contains(_name[position]))
                    {
                        return false;
                    }

                    position++;
                    break;
                case PatternOperation.Split:
                    if (Run(state.Other, position))
                    {
                        return true;
                    }

                    break;
                case PatternOperation.Repeat when state.Inverted:
                    return Run(state.Next, position) || Again(index, state, position);
                case PatternOperation.Repeat:
                    if (Again(index, state, position))
                    {
                        return true;
                    }

                    break;
                case PatternOperation.GroupBegin:
                    return Capture(state, position, (position, _groups[state.Group].End));
                case PatternOperation.GroupEnd:
                    return Capture(state, position, (_groups[state.Group].Start, position));
                case PatternOperation.BackReference:
                    if (!TakeCaptured(_groups[state.Group], ref position))
                    {
                        return false;
                    }

                    break;
                default:
                    if (!Holds(state, position))
                    {
                        return false;
                    }

                    break;
            }

            index = state.Next;
        }
    }

    // A body that took nothing may run twice at one place, then no more: this is what ends (a*)*.
    private bool Again(int index, PatternState state, int position)
    {
        var before = _visits[index];
        if (before.Count == 0 || before.Position != position)
        {
            _visits[index] = (position, 1);
        }
        else if (before.Count < 2)
        {
            _visits[index] = (position, before.Count + 1);
        }
        else
        {
            return false;
        }

        var matched = Run(state.Other, position);
        _visits[index] = before;
        return matched;
    }

    private bool Capture(PatternState state, int position, (int, int) value)
    {
        var before = _groups[state.Group];
        _groups[state.Group] = value;
        if (Run(state.Next, position))
        {
            return true;
        }

        _groups[state.Group] = before;
        return false;
    }

    private bool TakeCaptured((int Start, int End) group, ref int position)
    {
        if (group.End < 0)
        {
            return false;
        }

        var captured = _name.AsSpan(group.Start, Math.Max(group.End - group.Start, 0));
        if (!_name.AsSpan(position).StartsWith(captured))
        {
            return false;
        }

        position += captured.Length;
        return true;
    }

    private bool Holds(PatternState state, int position) => state.Operation switch
    {
        PatternOperation.Start => position == 0,
        PatternOperation.End => position == _name.Length,
        PatternOperation.WordBoundary =>
            (IsWordAt(position - 1) != IsWordAt(position)) != state.Inverted,
        _ => LooksAhead(state.Other, position) != state.Inverted,
    };

    private bool LooksAhead(int state, int position)
    {
        var visits = _visits;
        _visits = new (int, int)[visits.Length];
        var matched = Run(state, position);
        _visits = visits;
        return matched;
    }

    private bool IsWordAt(int position) =>
        (uint)position < (uint)_name.Length && (char.IsAsciiLetterOrDigit((char)_name[position]) || _name[position] == (byte)'_');
}
