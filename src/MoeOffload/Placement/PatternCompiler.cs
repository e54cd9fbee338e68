namespace MoeOffload;

/// <summary>Lays a parsed pattern out as states, from its end to its start, so that each piece knows what follows it.</summary>
internal sealed class PatternCompiler
{
    private readonly List<PatternState> _states = [];

    private PatternCompiler()
    {
    }

    public static PatternProgram Compile(PatternNode pattern, int groupCount)
    {
        var compiler = new PatternCompiler();
        var accept = compiler.Add(new PatternState(PatternOperation.Accept, -1));
        var entry = compiler.Lay(pattern, accept);
        return new PatternProgram([.. compiler._states], entry, groupCount);
    }

    private int Add(PatternState state)
    {
        _states.Add(state);
        return _states.Count - 1;
    }

    private int Lay(PatternNode node, int next)
    {
        switch (node)
        {
            case PatternNode.Single single:
                return Add(single.State with { Next = next });
            case PatternNode.Sequence sequence:
                for (var i = sequence.Items.Count - 1; i >= 0; i--)
                {
                    next = Lay(sequence.Items[i], next);
                }

                return next;
            case PatternNode.Either either:
                var right = Lay(either.Right, next);
                return Add(new PatternState(PatternOperation.Split, right, Lay(either.Left, next)));
            case PatternNode.Group group:
                var end = Add(new PatternState(PatternOperation.GroupEnd, next, Group: group.Number));
                return Add(new PatternState(PatternOperation.GroupBegin, Lay(group.Body, end), Group: group.Number));
            case PatternNode.Lookahead look:
                var accept = Add(new PatternState(PatternOperation.Accept, -1));
                return Add(new PatternState(PatternOperation.Lookahead, next, Lay(look.Body, accept), Inverted: look.Negative));
            case PatternNode.Repeat repeat:
                return LayRepeat(repeat, next);
            default:
                throw new ArgumentOutOfRangeException(nameof(node));
        }
    }

    private int LayRepeat(PatternNode.Repeat repeat, int next)
    {
        var entry = next;
        if (repeat.Most is not { } most)
        {
            entry = Add(new PatternState(PatternOperation.Repeat, next, Inverted: repeat.Lazy));
            _states[entry] = _states[entry] with { Other = Lay(repeat.Body, entry) };
        }
        else
        {
            for (var i = repeat.Least; i < most; i++)
            {
                var body = Lay(repeat.Body, entry);
                entry = Add(new PatternState(PatternOperation.Repeat, next, body, Inverted: repeat.Lazy));
            }
        }

        for (var i = 0; i < repeat.Least; i++)
        {
            entry = Lay(repeat.Body, entry);
        }

        return entry;
    }
}
