using System.Text;
using MoeOffload.Architecture.Tests.Reading;

namespace MoeOffload.Architecture.Tests.Graphs;

/// <summary>Writes references so that a reader finds the line to change: by folders, then type and member.</summary>
internal static class ArrowList
{
    /// <summary>Writes references; empty text if there are none.</summary>
    public static string Write(IEnumerable<TypeReference> references)
    {
        var text = new StringBuilder();
        foreach (var arrow in references.GroupBy(reference => (reference.FromFolder, reference.ToFolder)).OrderBy(arrow => arrow.Count()))
        {
            text.AppendLine().Append(Named(arrow.Key.FromFolder)).Append(" -> ").Append(Named(arrow.Key.ToFolder)).Append(": ")
                .Append(arrow.Count()).AppendLine(arrow.Count() == 1 ? " reference" : " references");
            foreach (string line in arrow.Select(reference => reference.ToString()).Order(StringComparer.Ordinal))
            {
                text.Append("    ").AppendLine(line);
            }
        }

        return text.ToString();
    }

    private static string Named(string folder) => folder.Length == 0 ? "(root)" : folder;
}
