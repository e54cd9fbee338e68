using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Reports;

/// <summary>Represents the tensors of one purpose and type.</summary>
/// <param name="Name">The purpose.</param>
/// <param name="Type">The type.</param>
/// <param name="Count">The number of tensors.</param>
/// <param name="ParameterCount">The number of elements in all of them.</param>
/// <param name="Bytes">The size of all of them, in bytes.</param>
internal sealed record TensorSummary(string Name, string Type, int Count, long ParameterCount, long Bytes)
{
    // The groups that are usually the largest in a mixture-of-experts model come first.
    private static readonly (TensorGroup Group, string Name)[] s_groups =
    [
        (TensorGroup.Experts, "experts"),
        (TensorGroup.SharedExperts, "shared experts"),
        (TensorGroup.Router, "router"),
        (TensorGroup.Attention, "attention"),
        (TensorGroup.FeedForward, "feed-forward"),
        (TensorGroup.Embedding, "embeddings"),
        (TensorGroup.Output, "output"),
        (TensorGroup.Norm, "norms"),
        (TensorGroup.Other, "other"),
    ];

    /// <summary>Groups tensors by purpose and type.</summary>
    public static TensorSummary[] Of(IEnumerable<GgufTensorInfo> tensors) =>
        Of(tensors.Select(tensor => (tensor.Name, tensor.Type, tensor.ElementCount, tensor.ByteCount)));

    /// <inheritdoc cref="Of(IEnumerable{GgufTensorInfo})"/>
    public static TensorSummary[] Of(IEnumerable<(string Name, GgmlType Type, long ElementCount, long ByteCount)> tensors) =>
    [
        .. tensors.GroupBy(tensor => (Group: TensorLocation.GetGroup(tensor.Name), Type: GgmlTypeInfo.Get(tensor.Type).Name))
            .OrderBy(group => Array.FindIndex(s_groups, known => known.Group == group.Key.Group))
            .ThenByDescending(group => group.Sum(tensor => tensor.ByteCount))
            .Select(group => new TensorSummary(
                NameOf(group.Key.Group), group.Key.Type, group.Count(), group.Sum(tensor => tensor.ElementCount), group.Sum(tensor => tensor.ByteCount))),
    ];

    /// <summary>Writes groups of tensors as a table with a total.</summary>
    public static void WriteTable(TextWriter writer, IReadOnlyList<TensorSummary> groups)
    {
        long all = Math.Max(1, groups.Sum(group => group.Bytes));
        var table = new Columns("tensors", "type", ">count", ">parameters", ">size", ">share");
        foreach (TensorSummary group in groups)
        {
            table.Add(
                group.Name, group.Type, Number(group.Count), Size.OfCount(group.ParameterCount), Size.Of(group.Bytes), (group.Bytes / (double)all).ToString("0.0 %", CultureInfo.InvariantCulture));
        }

        table.Add("all", string.Empty, Number(groups.Sum(group => group.Count)), Size.OfCount(groups.Sum(group => group.ParameterCount)), Size.Of(groups.Sum(group => group.Bytes)), string.Empty);
        table.WriteTo(writer);
    }

    /// <summary>Converts groups of tensors to JSON.</summary>
    public static JsonArray Describe(IEnumerable<TensorSummary> groups) => Json.Array(groups.Select(group => new JsonObject
    {
        ["group"] = group.Name,
        ["type"] = group.Type,
        ["count"] = group.Count,
        ["parameters"] = group.ParameterCount,
        ["bytes"] = group.Bytes,
    }));

    /// <summary>Gets the purpose of a tensor.</summary>
    public static string NameOf(string tensor) => NameOf(TensorLocation.GetGroup(tensor));

    private static string NameOf(TensorGroup group) => Array.Find(s_groups, known => known.Group == group).Name;

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
