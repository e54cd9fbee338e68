using MoeOffload.Architecture.Tests.Reading;

namespace MoeOffload.Architecture.Tests.Graphs;

/// <summary>The folders of a project as a graph, and the arrows in it that point back.</summary>
/// <param name="references">What refers to what.</param>
internal sealed class FolderGraph(IEnumerable<TypeReference> references)
{
    private readonly Dictionary<(string From, string To), TypeReference[]> _arrows =
        references.GroupBy(reference => (reference.FromFolder, reference.ToFolder)).ToDictionary(group => group.Key, group => group.ToArray());

    /// <summary>
    /// Gets the references that close a cycle: of the folders that reach each other, those that point against the order in which the fewest
    /// references do.
    /// </summary>
    public IReadOnlyList<TypeReference> BackReferences()
    {
        List<TypeReference> back = [];
        foreach (string[] cycle in Cycles())
        {
            List<string> order = Order(cycle);
            foreach (((string from, string to), TypeReference[] arrow) in _arrows)
            {
                int fromAt = order.IndexOf(from);
                int toAt = order.IndexOf(to);
                if (fromAt >= 0 && toAt >= 0 && fromAt < toAt)
                {
                    back.AddRange(arrow);
                }
            }
        }

        return back;
    }

    /// <summary>Gets the groups of folders that depend on each other, directly or indirectly.</summary>
    public IReadOnlyList<string[]> Cycles()
    {
        string[] folders = [.. _arrows.Keys.SelectMany(arrow => new[] { arrow.From, arrow.To }).Distinct().Order(StringComparer.Ordinal)];
        Dictionary<string, HashSet<string>> reached = folders.ToDictionary(folder => folder, Reach);
        return [.. folders
            .Select(folder => folders.Where(other => reached[folder].Contains(other) && reached[other].Contains(folder)).ToArray())
            .Where(group => group.Length > 0)
            .DistinctBy(group => group[0])];
    }

    private HashSet<string> Reach(string folder)
    {
        HashSet<string> reached = [];
        var open = new Queue<string>([folder]);
        while (open.TryDequeue(out string? next))
        {
            foreach ((string from, string to) in _arrows.Keys)
            {
                if (from == next && reached.Add(to))
                {
                    open.Enqueue(to);
                }
            }
        }

        return reached;
    }

    // The lowest first: what refers to the fewest of those that are left, and is referred to the most. A project's root, which has what
    // ties its folders, is the highest.
    private List<string> Order(IReadOnlyCollection<string> cycle)
    {
        List<string> left = [.. cycle];
        List<string> order = [];
        while (left.Count > 0)
        {
            string lowest = left.MinBy(folder =>
                (folder.Length == 0, left.Sum(other => Weight(folder, other) - Weight(other, folder))))!;
            left.Remove(lowest);
            order.Add(lowest);
        }

        return order;
    }

    private int Weight(string from, string to) => _arrows.GetValueOrDefault((from, to))?.Length ?? 0;
}
