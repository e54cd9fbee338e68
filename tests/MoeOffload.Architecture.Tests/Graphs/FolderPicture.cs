using System.Text;
using MoeOffload.Architecture.Tests.Reading;

namespace MoeOffload.Architecture.Tests.Graphs;

/// <summary>Draws the folders of a project, and which ones they use, as Mermaid does.</summary>
internal static class FolderPicture
{
    /// <summary>Draws what refers to what. An arrow that other arrows already imply is left out.</summary>
    /// <param name="references">The references between folders, without a cycle.</param>
    public static string Draw(IEnumerable<TypeReference> references)
    {
        Dictionary<string, SortedSet<string>> used = [];
        foreach (TypeReference reference in references.Where(reference => reference.FromFolder != reference.ToFolder))
        {
            Of(reference.FromFolder).Add(reference.ToFolder);
            Of(reference.ToFolder);
        }

        var text = new StringBuilder("flowchart TD\n");
        foreach (string folder in used.Keys.Order(StringComparer.Ordinal))
        {
            foreach (string other in used[folder].Where(other => !used[folder].Any(between => between != other && Reaches(between, other))))
            {
                text.Append("    ").Append(Node(folder)).Append(" --> ").Append(Node(other)).Append('\n');
            }
        }

        return text.ToString();

        SortedSet<string> Of(string folder) =>
            used.TryGetValue(folder, out SortedSet<string>? set) ? set : used[folder] = new SortedSet<string>(StringComparer.Ordinal);

        bool Reaches(string from, string to) => used[from].Contains(to) || used[from].Any(next => Reaches(next, to));
    }

    private static string Node(string folder)
    {
        string name = folder.Length == 0 ? "root" : folder;
        return $"{name.Replace('/', '_').Replace('.', '_')}[\"{(folder.Length == 0 ? "the root folder" : folder)}\"]";
    }
}
