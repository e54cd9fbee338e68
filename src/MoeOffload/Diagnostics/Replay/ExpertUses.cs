namespace MoeOffload.Diagnostics.Replay;

/// <summary>Represents the uses of experts in a trace, in order: each expert of a layer once for each micro-batch that uses it.</summary>
internal sealed class ExpertUses
{
    private readonly int _experts;
    private readonly IReadOnlyList<long> _bytes;

    /// <summary>Collects the uses of a trace. Layers without known sizes are left out.</summary>
    public ExpertUses(ExpertTrace trace)
    {
        ExpertTraceModel model = trace.Model;
        _experts = model.ExpertCount;
        _bytes = model.ExpertBytes;
        ObjectCount = model.LayerCount * model.ExpertCount;
        Counts = new long[ObjectCount];
        List<int> order = [];
        List<int> steps = [];
        List<(int Tokens, bool IsDecode)> kinds = [];
        long[] seen = new long[model.ExpertCount];
        long round = 0;
        foreach (ExpertTraceStep step in trace.EnumerateSteps())
        {
            kinds.Add((step.TokenCount, step.IsDecode));
            foreach (ExpertChoices choices in step.Choices.Where(choices => _bytes[choices.Layer] > 0))
            {
                round++;
                for (int i = 0; i < choices.Count; i++)
                {
                    if (choices.At(i) is >= 0 and var expert && seen[expert] != round)
                    {
                        seen[expert] = round;
                        order.Add((choices.Layer * _experts) + expert);
                    }
                }
            }

            steps.Add(order.Count);
        }

        Order = [.. order];
        StepEnds = [.. steps];
        Steps = kinds;
        foreach (int use in Order)
        {
            Counts[use]++;
        }
    }

    /// <summary>Gets the number of experts of all layers.</summary>
    public int ObjectCount { get; }

    /// <summary>Gets the experts in the order of their uses, by their number over all layers.</summary>
    public int[] Order { get; }

    /// <summary>Gets the number of uses of each expert.</summary>
    public long[] Counts { get; }

    /// <summary>Gets the number of uses up to the end of each step.</summary>
    public int[] StepEnds { get; }

    /// <summary>Gets the number of tokens of each step, and whether it only decoded.</summary>
    public IReadOnlyList<(int Tokens, bool IsDecode)> Steps { get; }

    /// <summary>Gets the number of experts of each layer.</summary>
    public int ExpertCount => _experts;

    /// <summary>Gets the size of an expert in bytes.</summary>
    public long BytesOf(int use) => _bytes[use / _experts];

    /// <summary>Gets, for each use, the position of the next use of the same expert, or <see cref="int.MaxValue"/> if there is none.</summary>
    public int[] FindNextUses()
    {
        int[] next = new int[Order.Length];
        int[] following = new int[ObjectCount];
        Array.Fill(following, int.MaxValue);
        for (int i = Order.Length - 1; i >= 0; i--)
        {
            next[i] = following[Order[i]];
            following[Order[i]] = i;
        }

        return next;
    }
}
